namespace XComposer2.Native.Model;

/// <summary>What a JPEG's frame header states, and the state that lasts over its scans.</summary>
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

    /// <summary>Units of an interleaved scan: one of each 8 x 8 x (largest factors) pixels.</summary>
    public int UnitsPerRow => Ceiling(Width, 8 * MaxHorizontal);

    /// <inheritdoc cref="UnitsPerRow"/>
    public int UnitRows => Ceiling(Height, 8 * MaxVertical);

    /// <summary>Blocks of all components.</summary>
    public long Blocks => Components.Sum(component => (long)component.BlocksPerRow * component.BlockRows);

    /// <summary>The coefficients of every component are kept until the last scan, in this many bytes.</summary>
    public long CoefficientBytes => Components.Sum(component => 128L * component.StoredBlocksPerRow * component.StoredBlockRows);

    public static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;
}

/// <summary>One component (a colour plane) of a JPEG.</summary>
/// <param name="id">Its number in scan headers.</param>
/// <param name="horizontal">Sampling factor, 1 to 4.</param>
/// <param name="vertical">Sampling factor, 1 to 4.</param>
/// <param name="quantiser">Number of its table.</param>
internal sealed class JpegComponent(byte id, int horizontal, int vertical, int quantiser)
{
    public byte Id => id;

    public int Horizontal => horizontal;

    public int Vertical => vertical;

    public int Quantiser => quantiser;

    /// <summary>By rows; fixed by the first scan of the component.</summary>
    public short[]? Quantisers { get; set; }

    /// <summary>Samples of a row that belong to the picture.</summary>
    public int Width { get; private set; }

    /// <summary>Rows that belong to the picture.</summary>
    public int Height { get; private set; }

    public int BlocksPerRow { get; private set; }

    public int BlockRows { get; private set; }

    /// <summary>With the blocks that only complete an interleaved unit.</summary>
    public int StoredBlocksPerRow { get; private set; }

    /// <inheritdoc cref="StoredBlocksPerRow"/>
    public int StoredBlockRows { get; private set; }

    /// <summary>[StoredBlockRows, StoredBlocksPerRow, 64], each block by rows; empty where blocks are transformed as they come.</summary>
    public short[] Coefficients { get; set; } = [];

    /// <summary>By position in the file's order: the lowest bit that is known, -1 for none. 0 means exact.</summary>
    public int[] KnownBits { get; } = [.. Enumerable.Repeat(-1, 64)];

    /// <summary>Prediction of the next DC coefficient.</summary>
    public int LastDc { get; set; }

    /// <summary>Number of the scan's table for DC coefficients.</summary>
    public int DcSelector { get; set; }

    /// <summary>Number of the scan's table for AC coefficients.</summary>
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

/// <summary>What a scan header states.</summary>
/// <param name="Components">In the order of their blocks.</param>
/// <param name="First">First coefficient, in the file's order.</param>
/// <param name="Last">Last coefficient.</param>
/// <param name="PreviousBit">Lowest bit that earlier scans gave; 0 for a first scan.</param>
/// <param name="Bit">Lowest bit that this scan gives.</param>
internal sealed record JpegScan(JpegComponent[] Components, int First, int Last, int PreviousBit, int Bit)
{
    public bool IsInterleaved => Components.Length > 1;

    /// <summary>Blocks that decoding it visits at most.</summary>
    public long Visits(JpegFrame frame) => IsInterleaved
        ? (long)frame.UnitsPerRow * frame.UnitRows * Components.Sum(component => component.Horizontal * component.Vertical)
        : (long)Components[0].BlocksPerRow * Components[0].BlockRows;
}
