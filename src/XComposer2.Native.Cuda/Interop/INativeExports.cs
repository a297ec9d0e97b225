namespace XComposer2.Native.Cuda;

/// <summary>A library's exported functions.</summary>
internal interface INativeExports
{
    /// <summary>The library's path or loader name, for messages.</summary>
    string Name { get; }

    bool TryFind(string symbol, out nint address);
}
