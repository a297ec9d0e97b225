using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>Compiled code, ready for <see cref="CudaLibrary.Load"/>.</summary>
/// <param name="Name">For messages: the file and the target.</param>
/// <param name="Image">A cubin, or PTX text with a zero byte at its end.</param>
/// <param name="Log">What the compiler printed; empty where it printed nothing.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record Cubin(string Name, ReadOnlyMemory<byte> Image, string Log, CubinOrigin Origin);

/// <summary>Where compiled code came from.</summary>
public enum CubinOrigin
{
    /// <summary>Compiled now.</summary>
    Compiled,

    /// <summary>Compiled by an earlier run, on this machine.</summary>
    Cached,

    /// <summary>Came with the program.</summary>
    Shipped,
}

/// <summary>One kernel in one specialisation.</summary>
/// <param name="Source">The <c>.cu</c> file, from the root of the kernels.</param>
/// <param name="Target">What to compile for.</param>
/// <param name="Options">In order, without the target's.</param>
public sealed record CubinRequest(string Source, CudaTarget Target, IReadOnlyList<string> Options);

/// <summary>What decides the code besides the compiler: target, options, source and everything that it includes.</summary>
internal sealed class CubinKey
{
    public const int HashBytes = 32;

    /// <summary>Of <see cref="Hash"/>, in a file's name; the whole one is in the file.</summary>
    private const int NameHashBytes = 12;

    private readonly byte[] hash;

    public CubinKey(KernelProgram program, CudaTarget target, IReadOnlyList<string> options)
    {
        using IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(sha, target.ToString());
        AddCount(sha, options.Count);
        foreach (string option in options) Add(sha, option);
        AddCount(sha, program.Headers.Count);
        foreach (KernelFile file in program.Headers.Prepend(program.Source))
        {
            Add(sha, file.Path);
            Add(sha, file.Text);
        }
        hash = sha.GetHashAndReset();
        Prefix = $"{Path.GetFileNameWithoutExtension(program.Source.Path)}.{target}.{Convert.ToHexStringLower(hash.AsSpan(0, NameHashBytes))}.";
    }

    public ReadOnlySpan<byte> Hash => hash;

    /// <summary>How the names of all its entries begin, whatever compiler made them.</summary>
    public string Prefix { get; }

    // Lengths go in with the texts: two options "-a", "-b" are not one option "-a-b".
    private static void Add(IncrementalHash sha, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        AddCount(sha, bytes.Length);
        sha.AppendData(bytes);
    }

    private static void AddCount(IncrementalHash sha, int count)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, count);
        sha.AppendData(bytes);
    }
}
