using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>The first frame of a GIF. A transparent pixel shows the colour of its palette entry, as dropping alpha means.</summary>
internal static class GifDecoder
{
    private const byte ExtensionBlock = 0x21;
    private const byte ImageBlock = 0x2C;
    private const byte GraphicControl = 0xF9;
    private const int ScreenHeaderBytes = 13;

    public static RgbImage Decode(ReadOnlySpan<byte> bytes, int width, int height, string name)
    {
        GifCursor cursor = new(bytes, ScreenHeaderBytes, name);
        byte screenFlags = bytes[10];
        ReadOnlySpan<byte> palette = (screenFlags & 0x80) != 0 ? cursor.Take(PaletteBytes(screenFlags)) : default;
        byte outside = 0;
        while (true)
        {
            byte block = cursor.TakeByte();
            if (block == ImageBlock) return DecodeFrame(ref cursor, palette, outside, width, height, name);
            if (block != ExtensionBlock) throw ImageException.For(name, $"GIF: expected an extension or a picture block, found 0x{block:X2}");
            byte label = cursor.TakeByte();
            for (int length = cursor.TakeByte(); length != 0; length = cursor.TakeByte())
            {
                ReadOnlySpan<byte> data = cursor.Take(length);
                if (label == GraphicControl && length >= 4 && (data[0] & 1) != 0) outside = data[3];
            }
        }
    }

    private static RgbImage DecodeFrame(ref GifCursor cursor, ReadOnlySpan<byte> palette, byte outside, int width, int height, string name)
    {
        ReadOnlySpan<byte> frame = cursor.Take(9);
        int left = BinaryPrimitives.ReadUInt16LittleEndian(frame);
        int top = BinaryPrimitives.ReadUInt16LittleEndian(frame[2..]);
        int frameWidth = BinaryPrimitives.ReadUInt16LittleEndian(frame[4..]);
        int frameHeight = BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]);
        byte flags = frame[8];
        if (frameWidth == 0 || frameHeight == 0 || left + frameWidth > width || top + frameHeight > height)
            throw ImageException.For(name, $"GIF: a frame of {frameWidth} x {frameHeight} at ({left}, {top}) in a picture of {width} x {height}");
        if ((flags & 0x80) != 0) palette = cursor.Take(PaletteBytes(flags));
        if (palette.IsEmpty) throw ImageException.For(name, "GIF: no palette");

        byte[] indices = GC.AllocateUninitializedArray<byte>(frameWidth * frameHeight);
        GifLzw.Decode(ref cursor, indices, name);

        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * width * height);
        if (frameWidth != width || frameHeight != height)
            for (int index = 0; index < pixels.Length; index += 3) Paint(palette, outside, pixels, index);
        bool interlaced = (flags & 0x40) != 0;
        int stored = 0;
        foreach ((int first, int step) in interlaced ? InterlacedPasses : PlainPass)
            for (int row = first; row < frameHeight; row += step, stored++)
                for (int column = 0; column < frameWidth; column++)
                    Paint(palette, indices[stored * frameWidth + column], pixels, 3 * ((top + row) * width + left + column));
        return new(width, height, pixels);
    }

    private static (int First, int Step)[] PlainPass => [(0, 1)];

    private static (int First, int Step)[] InterlacedPasses => [(0, 8), (4, 8), (2, 4), (1, 2)];

    private static int PaletteBytes(byte flags) => 3 << ((flags & 7) + 1);

    // An index beyond the palette is black.
    private static void Paint(ReadOnlySpan<byte> palette, int index, byte[] pixels, int target)
    {
        bool known = 3 * index + 3 <= palette.Length;
        for (int channel = 0; channel < 3; channel++) pixels[target + channel] = known ? palette[3 * index + channel] : (byte)0;
    }
}
