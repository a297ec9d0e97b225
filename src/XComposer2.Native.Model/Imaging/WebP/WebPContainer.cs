using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>RIFF container of a WebP.</summary>
/// <param name="Width">Size of the canvas.</param>
/// <param name="Height">Size of the canvas.</param>
/// <param name="Left">Offset of the first frame on the canvas.</param>
/// <param name="Top">Offset of the first frame on the canvas.</param>
/// <param name="Data">Picture data of the first frame.</param>
/// <param name="IsLossless">Whether the data is VP8L.</param>
internal readonly record struct WebPContainer(int Width, int Height, int Left, int Top, ReadOnlyMemory<byte> Data, bool IsLossless)
{
    private const int HeaderBytes = 12;
    private const int FrameHeaderBytes = 16;

    public static bool IsWebP(ReadOnlySpan<byte> bytes) => bytes.Length >= HeaderBytes && bytes.StartsWith("RIFF"u8) && bytes.Slice(8, 4).SequenceEqual("WEBP"u8);

    /// <returns>The container, or a description of the fault.</returns>
    public static (WebPContainer Container, string? Fault) Read(ReadOnlyMemory<byte> file)
    {
        WebPContainer container = default;
        foreach ((ReadOnlyMemory<byte> kind, ReadOnlyMemory<byte> content, bool isWhole) in Chunks(file[HeaderBytes..]))
        {
            ReadOnlySpan<byte> bytes = content.Span;
            bool isFrame = kind.Span.SequenceEqual("ANMF"u8), isLossless = kind.Span.SequenceEqual("VP8L"u8);
            if (!isWhole) return (container, "the file is cut off");
            if (kind.Span.SequenceEqual("VP8X"u8))
            {
                if (bytes.Length < 10) return (container, "a header that is cut off");
                container = container with { Width = 1 + U24(bytes[4..]), Height = 1 + U24(bytes[7..]) };
            }
            else if (isFrame)
            {
                if (bytes.Length < FrameHeaderBytes) return (container, "a frame header that is cut off");
                container = container with { Left = 2 * U24(bytes), Top = 2 * U24(bytes[3..]) };
                foreach ((ReadOnlyMemory<byte> inner, ReadOnlyMemory<byte> data, bool isInnerWhole) in Chunks(content[FrameHeaderBytes..]))
                {
                    bool isInnerLossless = inner.Span.SequenceEqual("VP8L"u8);
                    if (!isInnerWhole) return (container, "a frame that is cut off");
                    if (isInnerLossless || inner.Span.SequenceEqual("VP8 "u8)) return Complete(container, data, isInnerLossless);
                }
                return (container, "a frame without a picture");
            }
            else if (isLossless || kind.Span.SequenceEqual("VP8 "u8)) return Complete(container, content, isLossless);
        }
        return (container, "the file ends before its picture");
    }

    /// <summary>EXIF data; empty if there is none.</summary>
    public static ReadOnlyMemory<byte> Exif(ReadOnlyMemory<byte> file)
    {
        foreach ((ReadOnlyMemory<byte> kind, ReadOnlyMemory<byte> content, bool isWhole) in Chunks(file[HeaderBytes..]))
            if (isWhole && kind.Span.SequenceEqual("EXIF"u8)) return content.Span.StartsWith("Exif\0\0"u8) ? content[6..] : content;
        return default;
    }

    /// <summary>Frame size in the picture data; 0 x 0 if invalid.</summary>
    public (int Width, int Height) FrameSize()
    {
        ReadOnlySpan<byte> bytes = Data.Span;
        if (IsLossless)
        {
            if (bytes.Length < 5 || bytes[0] != 0x2F) return default;
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(bytes[1..]);
            return (1 + (int)(bits & 0x3FFF), 1 + (int)(bits >> 14 & 0x3FFF));
        }
        bool isKeyFrame = bytes.Length >= 10 && (bytes[0] & 1) == 0 && bytes.Slice(3, 3).SequenceEqual<byte>([0x9D, 0x01, 0x2A]);
        return isKeyFrame ? (BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) & 0x3FFF) : default;
    }

    private static (WebPContainer Container, string? Fault) Complete(WebPContainer container, ReadOnlyMemory<byte> data, bool isLossless)
    {
        container = container with { Data = data, IsLossless = isLossless };
        (int width, int height) = container.FrameSize();
        if (width == 0 || height == 0) return (container, "damaged picture data");
        if (container.Width == 0) return (container with { Width = width, Height = height }, null);
        bool fits = container.Left <= container.Width - width && container.Top <= container.Height - height;
        return (container, fits ? null : $"a frame of {width} x {height} at ({container.Left}, {container.Top}) on a canvas of {container.Width} x {container.Height}");
    }

    public static IEnumerable<(ReadOnlyMemory<byte> Kind, ReadOnlyMemory<byte> Content, bool IsWhole)> Chunks(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            long length = BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[4..]);
            bool isWhole = length <= bytes.Length - 8;
            yield return (bytes[..4], isWhole ? bytes.Slice(8, (int)length) : bytes[8..], isWhole);
            if (!isWhole) yield break;
            // Chunks of odd length are padded; the last padding byte may be missing.
            bytes = bytes[(int)Math.Min(8 + length + (length & 1), bytes.Length)..];
        }
    }

    private static int U24(ReadOnlySpan<byte> bytes) => bytes[0] | bytes[1] << 8 | bytes[2] << 16;
}
