using System.Runtime.InteropServices;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>Loaded code: a cubin, or PTX that the driver compiles on load.</summary>
public sealed unsafe class CudaLibrary : CudaResource
{
    private const int LogBytes = 4096;

    private readonly LibraryHandle handle;

    // A driver that loads lazily writes to it when a kernel's code is loaded: it lives as long as the library.
    private readonly byte* log;

    private CudaLibrary(CudaContext context, LibraryHandle handle, string name, byte* log)
        : base(context)
    {
        this.handle = handle;
        this.log = log;
        Name = name;
    }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <param name="context">Context in which the kernels run.</param>
    /// <param name="name">For messages: the source and the target.</param>
    /// <param name="image">A cubin, or zero-terminated PTX text. Copied.</param>
    /// <exception cref="CudaException">The driver rejected the code. The message contains the log of its compiler, if any.</exception>
    public static CudaLibrary Load(CudaContext context, string name, ReadOnlySpan<byte> image)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (image.IsEmpty) throw new ArgumentException($"{name}: the code is empty", nameof(image));
        context.Enter();
        byte* log = (byte*)NativeMemory.AllocZeroed(LogBytes);
        try
        {
            return new CudaLibrary(context, LoadCode(context, name, image, log), name, log);
        }
        catch
        {
            NativeMemory.Free(log);
            throw;
        }
    }

    /// <param name="entry">The name of an <c>extern "C" __global__</c> function.</param>
    /// <exception cref="CudaException">The library has no such entry, or its code does not load.</exception>
    public CudaKernel GetKernel(string entry)
    {
        ArgumentException.ThrowIfNullOrEmpty(entry);
        Enter();
        KernelHandle kernel;
        fixed (byte* name = Encoding.UTF8.GetBytes(entry + '\0'))
            Driver.Check(Functions.cuLibraryGetKernel(&kernel, handle, name), nameof(DriverFunctions.cuLibraryGetKernel), $"{entry} in {Name}");
        // Makes a driver that loads lazily load the code now, and not in the middle of a capture.
        FunctionHandle function;
        CudaResult loaded = Functions.cuKernelGetFunction(&function, kernel);
        Driver.Check(loaded, nameof(DriverFunctions.cuKernelGetFunction), $"{entry} in {Name}{(loaded == CudaResult.Success ? "" : ReadLog(log))}");
        return new CudaKernel(this, entry, kernel, function);
    }

    /// <summary>Guard for the use of a kernel of this library.</summary>
    internal void EnterKernel() => Enter();

    private protected override void Release()
    {
        Context.NoteRelease(Functions.cuLibraryUnload(handle), nameof(DriverFunctions.cuLibraryUnload));
        NativeMemory.Free(log);
    }

    private static LibraryHandle LoadCode(CudaContext context, string name, ReadOnlySpan<byte> image, byte* log)
    {
        JitOption* options = stackalloc[] { JitOption.ErrorLogBuffer, JitOption.ErrorLogBufferSizeBytes };
        void** values = stackalloc void*[] { log, (void*)LogBytes };
        LibraryHandle handle;
        fixed (byte* code = image)
            context.Driver.Check(
                context.Driver.Functions.cuLibraryLoadData(&handle, code, options, values, 2, null, null, 0),
                nameof(DriverFunctions.cuLibraryLoadData), $"{name} on {context.Device}{ReadLog(log)}");
        return handle;
    }

    private static string ReadLog(byte* log)
    {
        ReadOnlySpan<byte> room = new(log, LogBytes);
        int end = room.IndexOf((byte)0);
        string text = Encoding.UTF8.GetString(end < 0 ? room : room[..end]).Trim();
        return text.Length == 0 ? string.Empty : $": {text}";
    }
}
