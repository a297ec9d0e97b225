namespace XComposer2.Native.Kernels;

/// <summary>How a block of <c>gemm/linear_wgmma.cu</c> is cut: 128 rows, which two warpgroups share, and slices of 64 columns of K.</summary>
/// <param name="Columns">Columns of a block's tile: a multiple of 16 that the kernel has an instruction for.</param>
/// <param name="Stages">Slices in shared memory.</param>
public readonly record struct WgmmaTile(int Columns, int Stages) : ILinearTile
{
    /// <summary>Columns of K in a slice: a row of 128 bytes.</summary>
    public const int Depth = 64;

    private const int BlockRows = 128, RowBytes = 128, AlignmentBytes = 1024;

    /// <summary>The widest: the least traffic for the same product.</summary>
    public static WgmmaTile W256 { get; } = new(256, 4);

    /// <inheritdoc cref="W256"/>
    public static WgmmaTile W240 { get; } = new(240, 4);

    /// <summary>Where wider ones would leave multiprocessors idle.</summary>
    public static WgmmaTile W192 { get; } = new(192, 5);

    /// <inheritdoc cref="W192"/>
    public static WgmmaTile W176 { get; } = new(176, 5);

    /// <summary>Few rows. Shared memory bounds it.</summary>
    public static WgmmaTile W128 { get; } = new(128, 6);

    /// <summary>Few columns: those of a picture's encoder. Shared memory bounds it.</summary>
    public static WgmmaTile W80 { get; } = new(80, 8);

    public int Rows => BlockRows;

    /// <summary>A warpgroup that asks for slices, and two that multiply.</summary>
    public const int Threads = 3 * 128;

    /// <summary>Dynamic shared memory of a block, with what its alignment may take.</summary>
    public int SharedBytes => (Stages * (BlockRows + Columns) * RowBytes) + AlignmentBytes;
}

/// <summary>What a block of a tiled linear computes.</summary>
public interface ILinearTile
{
    /// <summary>Rows of the step.</summary>
    int Rows { get; }

    /// <summary>Rows of the weights.</summary>
    int Columns { get; }
}
