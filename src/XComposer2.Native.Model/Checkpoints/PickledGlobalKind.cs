namespace XComposer2.Native.Model;

internal enum PickledGlobalKind : byte
{
    RebuildTensor,
    RebuildParameter,
    OrderedDictionary,
    Storage,
}
