using System.Runtime.InteropServices;

namespace XComposer2.Native.GpuTests;

/// <summary>What an emulated device may do differently and a kernel must not depend on: the order in which threads run, and how tensor cores add.</summary>
internal static unsafe class EmulatedConditions
{
    private static readonly (string Schedule, string Sums)[] all =
        [("forward", "nearest"), ("reverse", "truncated"), ("shuffled", "nearest"), ("shuffled", "truncated")];

    /// <summary>Calls once for each, or once on a GPU. Afterwards the device is as the environment has it.</summary>
    /// <param name="device">On which.</param>
    /// <param name="check">Given the condition in words.</param>
    public static void ForEach(GpuDevice device, Action<string> check)
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
        {
            check("a GPU");
            return;
        }

        try
        {
            foreach ((string schedule, string sums) in all)
            {
                Configure("schedule", schedule);
                Configure("sums", sums);
                check($"{schedule}, {sums}");
            }
        }
        finally
        {
            Configure("schedule", Environment.GetEnvironmentVariable("XC2_EMULATED_SCHEDULE") ?? "forward");
            Configure("sums", Environment.GetEnvironmentVariable("XC2_EMULATED_SUMS") ?? "nearest");
        }
    }

    private static void Configure(string name, string value)
    {
        // Loaded already, as the driver.
        nint library = NativeLibrary.Load(DeviceLibraries.Find().DriverLibrary!);
        nint nameText = Marshal.StringToCoTaskMemUTF8(name), valueText = Marshal.StringToCoTaskMemUTF8(value);
        int result = ((delegate* unmanaged<nint, nint, int>)NativeLibrary.GetExport(library, "xc2EmulatedConfigure"))(nameText, valueText);
        Marshal.FreeCoTaskMem(nameText);
        Marshal.FreeCoTaskMem(valueText);
        NativeLibrary.Free(library);
        if (result != 0)
            throw new InvalidOperationException($"the emulated device does not know {name} = {value}");
    }
}
