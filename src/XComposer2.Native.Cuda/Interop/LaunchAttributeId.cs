namespace XComposer2.Native.Cuda;

/// <summary><c>CUlaunchAttributeID</c>, the members in use.</summary>
internal enum LaunchAttributeId
{
    AccessPolicyWindow = 1,
    Cooperative = 2,
    ClusterDimension = 4,
    ProgrammaticStreamSerialization = 6,
}
