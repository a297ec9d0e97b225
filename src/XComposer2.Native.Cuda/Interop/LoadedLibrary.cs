using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>A library in this process. It is never unloaded: drivers leave threads behind that would run in the hole.</summary>
internal sealed class LoadedLibrary(string name, nint handle) : INativeExports
{
    public string Name => name;

    public bool TryFind(string symbol, out nint address) => NativeLibrary.TryGetExport(handle, symbol, out address);
}
