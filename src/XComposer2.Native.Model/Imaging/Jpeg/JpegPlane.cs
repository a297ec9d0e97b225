using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>
/// Decoded samples of one component. Holds the last two unit rows in a ring buffer and upsamples single rows as the
/// "fancy upsampling" of libjpeg-turbo does.
/// </summary>
internal sealed class JpegPlane
{
    private readonly JpegComponent _component;
    private readonly byte[] _ring;
    private readonly byte[] _wide;
    private readonly int _stride;
    private readonly int _ringRows;
    private readonly int _across;
    private readonly int _down;

    public JpegPlane(JpegFrame frame, JpegComponent component)
    {
        _component = component;
        _stride = 8 * component.StoredBlocksPerRow;
        // Two unit rows.
        _ringRows = 2 * 8 * component.Vertical;
        _ring = new byte[_ringRows * _stride];
        _across = frame.MaxHorizontal / component.Horizontal;
        _down = frame.MaxVertical / component.Vertical;
        // Upsampling writes two samples for the last pixel.
        _wide = new byte[component.Width * _across + 1];
    }

    /// <summary>Whether vertical upsampling needs the row below.</summary>
    public bool NeedsRowBelow => _down == 2 && (_across == 1 || _across == 2);

    public void Transform(ReadOnlySpan<short> block, int blockRow, int blockColumn) =>
        JpegInverseDct.Run(block, _component.Quantisers, _ring.AsSpan(8 * blockRow % _ringRows * _stride + 8 * blockColumn), _stride);

    /// <summary>Transforms the stored coefficients of one unit row.</summary>
    public void TransformStored(int unitRow)
    {
        for (int row = unitRow * _component.Vertical; row < (unitRow + 1) * _component.Vertical; row++)
            for (int column = 0; column < _component.BlocksPerRow; column++) Transform(_component.Block(row, column), row, column);
    }

    /// <summary>Returns one picture row at full width.</summary>
    /// <param name="pictureRow">Its source rows must still be in the ring buffer.</param>
    public ReadOnlySpan<byte> Row(int pictureRow)
    {
        int row = pictureRow / _down;
        ReadOnlySpan<byte> near = Samples(row);
        if (_across == 1 && _down == 1) return near;
        bool isFancy = _component.Width > 2;
        int neighbour = Math.Clamp(pictureRow % 2 == 0 ? row - 1 : row + 1, 0, _component.Height - 1);
        if (_across == 2 && _down == 1 && isFancy) Widen(near, _wide);
        else if (_across == 2 && _down == 2 && isFancy) WidenBetween(near, Samples(neighbour), _wide);
        else if (_across == 1 && _down == 2) Between(near, Samples(neighbour), pictureRow % 2 == 0 ? 1 : 2, _wide);
        else Repeat(near, _across, _wide);
        return _wide;
    }

    private ReadOnlySpan<byte> Samples(int row) => _ring.AsSpan(row % _ringRows * _stride, _component.Width);

    private static void Repeat(ReadOnlySpan<byte> samples, int times, Span<byte> target)
    {
        for (int index = 0; index < samples.Length; index++) target.Slice(index * times, times).Fill(samples[index]);
    }

    // Triangle filter: 3/4 of the nearer sample, 1/4 of the farther one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ReadOnlySpan<byte> samples, Span<byte> target)
    {
        int last = samples.Length - 1;
        target[0] = samples[0];
        target[1] = (byte)((3 * samples[0] + samples[1] + 2) >> 2);
        for (int index = 1; index < last; index++)
        {
            int value = 3 * samples[index];
            target[2 * index] = (byte)((value + samples[index - 1] + 1) >> 2);
            target[2 * index + 1] = (byte)((value + samples[index + 1] + 2) >> 2);
        }
        target[2 * last] = (byte)((3 * samples[last] + samples[last - 1] + 1) >> 2);
        target[2 * last + 1] = samples[last];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenBetween(ReadOnlySpan<byte> near, ReadOnlySpan<byte> far, Span<byte> target)
    {
        far = far[..near.Length];
        int last = near.Length - 1;
        int before, current = 3 * near[0] + far[0], next = 3 * near[1] + far[1];
        target[0] = (byte)((4 * current + 8) >> 4);
        target[1] = (byte)((3 * current + next + 7) >> 4);
        for (int index = 1; index < last; index++)
        {
            before = current;
            current = next;
            next = 3 * near[index + 1] + far[index + 1];
            target[2 * index] = (byte)((3 * current + before + 8) >> 4);
            target[2 * index + 1] = (byte)((3 * current + next + 7) >> 4);
        }
        target[2 * last] = (byte)((3 * next + current + 8) >> 4);
        target[2 * last + 1] = (byte)((4 * next + 7) >> 4);
    }

    private static void Between(ReadOnlySpan<byte> near, ReadOnlySpan<byte> far, int bias, Span<byte> target)
    {
        for (int index = 0; index < near.Length; index++) target[index] = (byte)((3 * near[index] + far[index] + bias) >> 2);
    }
}
