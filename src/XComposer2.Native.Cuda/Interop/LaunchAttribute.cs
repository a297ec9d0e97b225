using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary><c>CUlaunchAttribute</c>: an identifier and a 64-byte union, of which only the members in use are named.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct LaunchAttribute
{
    [FieldOffset(0)]
    public LaunchAttributeId Id;

    [FieldOffset(8)]
    public int Cooperative;

    [FieldOffset(8)]
    public int ProgrammaticStreamSerializationAllowed;

    [FieldOffset(8)]
    public ClusterDimension ClusterDim;

    [FieldOffset(8)]
    public AccessPolicyWindow AccessPolicyWindow;
}
