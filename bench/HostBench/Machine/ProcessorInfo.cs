using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.HostBench;

/// <summary>Facts about the machine without its name.</summary>
internal static class ProcessorInfo
{
    public static string Model
    {
        get
        {
            const string Key = "model name";
            string? line = File.Exists("/proc/cpuinfo")
                ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(text => text.StartsWith(Key, StringComparison.Ordinal))
                : null;
            return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
    }

    public static string Instructions =>
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? "AVX-512"
        : Avx2.IsSupported && Fma.IsSupported ? "AVX2 and FMA"
        : AdvSimd.Arm64.IsSupported ? "Advanced SIMD"
        : "128-bit vectors";

    public static string Runtime => RuntimeInformation.FrameworkDescription;
}
