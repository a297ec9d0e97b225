using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary><c>CUaccessPolicyWindow</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AccessPolicyWindow
{
    public DevicePointer BasePtr;
    public nuint NumBytes;
    public float HitRatio;
    public AccessProperty HitProp;
    public AccessProperty MissProp;
}
