using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Colour space of a JPEG.</summary>
internal enum JpegColorSpace
{
    Gray,
    Rgb,
    YCbCr,

    /// <summary>CMYK, stored inverted. Pillow assumes Adobe's convention for every file.</summary>
    Cmyk,

    /// <summary>As <see cref="Cmyk"/>, with YCbCr in place of CMY.</summary>
    Ycck,

    /// <summary>CMYK, not inverted, in a TIFF.</summary>
    PlainCmyk,
}

/// <summary>Converts component rows to RGB with the fixed-point arithmetic of libjpeg, and of Pillow for CMYK.</summary>
internal sealed class JpegColor
{
    private const int FractionBits = 16;
    private const int Half = 1 << (FractionBits - 1);
    private readonly int[] _redOfCr = new int[256], _blueOfCb = new int[256], _greenOfCr = new int[256], _greenOfCb = new int[256];
    private readonly JpegColorSpace _space;

    public JpegColor(JpegColorSpace space)
    {
        _space = space;
        for (int value = 0; value < 256; value++)
        {
            int offset = value - 128;
            _redOfCr[value] = (91881 * offset + Half) >> FractionBits;
            _blueOfCb[value] = (116130 * offset + Half) >> FractionBits;
            _greenOfCr[value] = -46802 * offset;
            _greenOfCb[value] = -22554 * offset + Half;
        }
    }

    /// <summary>Selects the colour space as libjpeg does: from the JFIF segment, the Adobe segment or the component ids.</summary>
    /// <param name="components">One, three or four.</param>
    /// <param name="hasJfif">Whether a JFIF segment is present.</param>
    /// <param name="adobeTransform">Transform of the Adobe segment; null if there is none.</param>
    public static JpegColorSpace Choose(JpegComponent[] components, bool hasJfif, int? adobeTransform)
    {
        if (components.Length == 1) return JpegColorSpace.Gray;
        if (components.Length == 4) return adobeTransform is null or 0 ? JpegColorSpace.Cmyk : JpegColorSpace.Ycck;
        if (hasJfif) return JpegColorSpace.YCbCr;
        if (adobeTransform is { } transform) return transform == 0 ? JpegColorSpace.Rgb : JpegColorSpace.YCbCr;
        return components[0].Id == 'R' && components[1].Id == 'G' && components[2].Id == 'B' ? JpegColorSpace.Rgb : JpegColorSpace.YCbCr;
    }

    public static int Components(JpegColorSpace space) => space switch { JpegColorSpace.Gray => 1, JpegColorSpace.Rgb or JpegColorSpace.YCbCr => 3, _ => 4 };

    /// <param name="planes">Of the components.</param>
    /// <param name="row">Row of the picture.</param>
    /// <param name="target">[width, 3].</param>
    public void Convert(JpegPlane[] planes, int row, Span<byte> target)
    {
        ReadOnlySpan<byte> first = planes[0].Row(row);
        if (_space == JpegColorSpace.Gray)
        {
            for (int column = 0, index = 0; index < target.Length; column++, index += 3) target.Slice(index, 3).Fill(first[column]);
            return;
        }
        ReadOnlySpan<byte> second = planes[1].Row(row), third = planes[2].Row(row);
        if (_space is JpegColorSpace.YCbCr or JpegColorSpace.Ycck) FromYCbCr(first, second, third, target);
        else
            for (int column = 0, index = 0; index < target.Length; column++, index += 3)
                (target[index], target[index + 1], target[index + 2]) = (first[column], second[column], third[column]);
        if (planes.Length == 4) ApplyInks(planes[3].Row(row), target);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FromYCbCr(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> cb, ReadOnlySpan<byte> cr, Span<byte> target)
    {
        int columns = target.Length / 3;
        luma = luma[..columns];
        cb = cb[..columns];
        cr = cr[..columns];
        for (int column = 0, index = 0; column < columns; column++, index += 3)
        {
            int y = luma[column];
            Span<byte> rgb = target.Slice(index, 3);
            rgb[0] = Clip(y + _redOfCr[cr[column]]);
            rgb[1] = Clip(y + ((_greenOfCb[cb[column]] + _greenOfCr[cr[column]]) >> FractionBits));
            rgb[2] = Clip(y + _blueOfCb[cb[column]]);
        }
    }

    // The target holds stored CMY values (inverted unless from a TIFF), or RGB of YCCK, which equals CMY.
    private void ApplyInks(ReadOnlySpan<byte> black, Span<byte> target)
    {
        int flipInk = _space == JpegColorSpace.Cmyk ? 255 : 0, flipBlack = _space == JpegColorSpace.PlainCmyk ? 0 : 255;
        for (int column = 0, index = 0; index < target.Length; column++, index += 3)
            for (int channel = 0; channel < 3; channel++)
                target[index + channel] = InkColor.Level(target[index + channel] ^ flipInk, black[column] ^ flipBlack);
    }

    private static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);
}

/// <summary>CMYK conversion of Pillow.</summary>
internal static class InkColor
{
    /// <param name="ink">Cyan, magenta or yellow; 255 is full.</param>
    /// <param name="black">255 is full.</param>
    /// <returns>Red, green or blue.</returns>
    public static byte Level(int ink, int black)
    {
        int light = 255 - black;
        int product = ink * light + 128;
        return (byte)Math.Clamp(light - (((product >> 8) + product) >> 8), 0, 255);
    }
}
