namespace XComposer2.Native.Model;

/// <summary>Frame header of a JPEG and the state shared by its scans.</summary>
internal sealed class JpegFrame
{
    public JpegFrame(int width, int height, bool progressive, JpegComponent[] components)
    {
        (Width, Height, Progressive, Components) = (width, height, progressive, components);
        MaxHorizontal = components.Max(component => component.Horizontal);
        MaxVertical = components.Max(component => component.Vertical);
        foreach (JpegComponent component in components) component.Measure(this);
    }

    public int Width { get; }

    public int Height { get; }

    public bool Progressive { get; }

    public JpegComponent[] Components { get; }

    public int MaxHorizontal { get; }

    public int MaxVertical { get; }

    /// <summary>Interleaved units (MCUs) of 8 x 8 pixels times the largest sampling factors.</summary>
    public int UnitsPerRow => Ceiling(Width, 8 * MaxHorizontal);

    /// <inheritdoc cref="UnitsPerRow"/>
    public int UnitRows => Ceiling(Height, 8 * MaxVertical);

    /// <summary>Number of blocks of all components.</summary>
    public long Blocks => Components.Sum(component => (long)component.BlocksPerRow * component.BlockRows);

    /// <summary>Memory of all coefficients.</summary>
    public long CoefficientBytes => Components.Sum(component => 128L * component.StoredBlocksPerRow * component.StoredBlockRows);

    public static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;
}

/// <summary>One component (colour plane) of a JPEG.</summary>
/// <param name="id">Component id in scan headers.</param>
/// <param name="horizontal">Sampling factor, 1 to 4.</param>
/// <param name="vertical">Sampling factor, 1 to 4.</param>
/// <param name="quantiser">Index of the quantisation table.</param>
internal sealed class JpegComponent(byte id, int horizontal, int vertical, int quantiser)
{
    public byte Id => id;

    public int Horizontal => horizontal;

    public int Vertical => vertical;

    public int Quantiser => quantiser;

    /// <summary>In row order; set by the first scan of the component.</summary>
    public short[]? Quantisers { get; set; }

    /// <summary>Width in samples.</summary>
    public int Width { get; private set; }

    /// <summary>Height in samples.</summary>
    public int Height { get; private set; }

    public int BlocksPerRow { get; private set; }

    public int BlockRows { get; private set; }

    /// <summary>Including blocks that pad the last unit.</summary>
    public int StoredBlocksPerRow { get; private set; }

    /// <inheritdoc cref="StoredBlocksPerRow"/>
    public int StoredBlockRows { get; private set; }

    /// <summary>[StoredBlockRows, StoredBlocksPerRow, 64]; empty if blocks are transformed immediately.</summary>
    public short[] Coefficients { get; set; } = [];

    /// <summary>For each coefficient in zigzag order: the lowest decoded bit; -1 if none, 0 if complete.</summary>
    public int[] KnownBits { get; } = [.. Enumerable.Repeat(-1, 64)];

    /// <summary>Predictor of the next DC coefficient.</summary>
    public int LastDc { get; set; }

    /// <summary>Index of the DC table of the current scan.</summary>
    public int DcSelector { get; set; }

    /// <summary>Index of the AC table of the current scan.</summary>
    public int AcSelector { get; set; }

    public JpegHuffmanTable? DcTable { get; set; }

    public JpegHuffmanTable? AcTable { get; set; }

    public void Measure(JpegFrame frame)
    {
        Width = JpegFrame.Ceiling(frame.Width * horizontal, frame.MaxHorizontal);
        Height = JpegFrame.Ceiling(frame.Height * vertical, frame.MaxVertical);
        BlocksPerRow = JpegFrame.Ceiling(frame.Width * horizontal, 8 * frame.MaxHorizontal);
        BlockRows = JpegFrame.Ceiling(frame.Height * vertical, 8 * frame.MaxVertical);
        StoredBlocksPerRow = frame.UnitsPerRow * horizontal;
        StoredBlockRows = frame.UnitRows * vertical;
    }

    public Span<short> Block(int row, int column) => Coefficients.AsSpan((int)(64 * ((long)row * StoredBlocksPerRow + column)), 64);
}

/// <summary>A scan header.</summary>
/// <param name="Components">Components in scan order.</param>
/// <param name="First">First coefficient in zigzag order.</param>
/// <param name="Last">Last coefficient.</param>
/// <param name="PreviousBit">Lowest bit of the previous scan (Ah); 0 for a first scan.</param>
/// <param name="Bit">Lowest bit of this scan (Al).</param>
internal sealed record JpegScan(JpegComponent[] Components, int First, int Last, int PreviousBit, int Bit)
{
    public bool IsInterleaved => Components.Length > 1;

    /// <summary>Maximum number of processed blocks.</summary>
    public long Visits(JpegFrame frame) => IsInterleaved
        ? (long)frame.UnitsPerRow * frame.UnitRows * Components.Sum(component => component.Horizontal * component.Vertical)
        : (long)Components[0].BlocksPerRow * Components[0].BlockRows;
}
