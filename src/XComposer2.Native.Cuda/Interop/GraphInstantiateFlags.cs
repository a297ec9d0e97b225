namespace XComposer2.Native.Cuda;

/// <summary><c>CUgraphInstantiate_flags</c>; the parameter is 64 bits wide.</summary>
[Flags]
internal enum GraphInstantiateFlags : ulong
{
    None = 0,
    UseNodePriority = 8,
}
