using System.Runtime.InteropServices;

namespace XComposer2.Native.HostBench;

/// <summary>The system's OpenBLAS, if installed: the reference for fp32 products.</summary>
internal sealed unsafe class OpenBlas
{
    private const int RowMajor = 101, NoTranspose = 111, Transpose = 112;

    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> multiply;

    private OpenBlas(nint library, int threads)
    {
        multiply = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)
            NativeLibrary.GetExport(library, "cblas_sgemm");
        ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads"))(threads);
        string? core = Text(library, "openblas_get_corename");
        Description = $"{Text(library, "openblas_get_config")}; running the {core} kernels, {threads} threads";
    }

    public string Description { get; }

    /// <summary>Null if the library is not installed.</summary>
    public static OpenBlas? TryLoad(int threads)
    {
        // Otherwise its threads spin for tens of milliseconds after each call and disturb the next measurement.
        _ = SetEnvironment("OPENBLAS_THREAD_TIMEOUT", "16", 1);
        foreach (string name in new[] { "libopenblas.so.0", "libopenblas.so", "libopenblas" })
            if (NativeLibrary.TryLoad(name, out nint library))
                return new OpenBlas(library, threads);
        return null;
    }

    /// <summary>y [rows, outputs] = x [rows, inputs] wᵀ.</summary>
    public void Multiply(float* x, int rows, float* weight, int outputs, int inputs, float* y) =>
        multiply(RowMajor, NoTranspose, Transpose, rows, outputs, inputs, 1f, x, inputs, weight, inputs, 0f, y, outputs);

    [DllImport("libc", EntryPoint = "setenv")]
    private static extern int SetEnvironment([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);

    private static string? Text(nint library, string function) =>
        NativeLibrary.TryGetExport(library, function, out nint export)
            ? Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)export)())
            : null;
}
