using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Rows of x as the tiles read them: one plane per running sum of <see cref="SummationOrder"/>, in it one block per eight rows, in it
/// [steps, 8]. Every tile reads one unbroken run of floats, whatever power of two the inputs are. Does not own its memory.
/// </summary>
internal readonly unsafe struct PackedRows
{
    /// <summary>Rows of one block.</summary>
    public const int BlockRows = 8;

    private readonly float* data;

    private readonly nint planeFloats;

    public PackedRows(float* data, int rows, int inputs)
    {
        this.data = data;
        Rows = rows;
        Inputs = inputs;
        Steps = SummationOrder.Steps(inputs);
        planeFloats = PlaneFloats(rows, inputs);
    }

    public int Rows { get; }

    public int Inputs { get; }

    public int Steps { get; }

    public int Blocks => BlocksOf(Rows);

    public static int BlocksOf(int rows) => (rows + BlockRows - 1) / BlockRows;

    public static long Floats(int rows, int inputs) => checked(SummationOrder.Lanes * (long)PlaneFloats(rows, inputs));

    /// <summary>[steps, 8] of a block.</summary>
    public float* Block(int lane, int block) => data + (lane * planeFloats) + ((nint)block * Steps * BlockRows);

    /// <summary>Packs the rows of one block. What a last block lacks is left as it is: no result depends on it.</summary>
    /// <param name="block">0 to <see cref="Blocks"/>.</param>
    /// <param name="source">[., <see cref="Inputs"/>].</param>
    /// <param name="order">Which row of the source is which.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(int block, float* source, RowOrder order)
    {
        float* tails = stackalloc float[4 * SummationOrder.Lanes];
        int first = block * BlockRows;
        int whole = Inputs / SummationOrder.Lanes;
        for (int row = first; row < Math.Min(Rows, first + BlockRows); row += 4)
        {
            float* row0 = source + (order[row] * Inputs);
            float* row1 = source + (order[Math.Min(row + 1, Rows - 1)] * Inputs);
            float* row2 = source + (order[Math.Min(row + 2, Rows - 1)] * Inputs);
            float* row3 = source + (order[Math.Min(row + 3, Rows - 1)] * Inputs);
            float* destination = Block(0, block) + (row - first);
            for (int step = 0; step < whole; step++)
            {
                Step(row0, row1, row2, row3, destination);
                row0 += SummationOrder.Lanes;
                row1 += SummationOrder.Lanes;
                row2 += SummationOrder.Lanes;
                row3 += SummationOrder.Lanes;
                destination += BlockRows;
            }

            int tail = Inputs % SummationOrder.Lanes;
            if (tail == 0)
                continue;
            new Span<float>(tails, 4 * SummationOrder.Lanes).Clear();
            for (int i = 0; i < tail; i++)
            {
                tails[i] = row0[i];
                tails[SummationOrder.Lanes + i] = row1[i];
                tails[(2 * SummationOrder.Lanes) + i] = row2[i];
                tails[(3 * SummationOrder.Lanes) + i] = row3[i];
            }

            Step(tails, tails + SummationOrder.Lanes, tails + (2 * SummationOrder.Lanes), tails + (3 * SummationOrder.Lanes), destination);
        }
    }

    private static nint PlaneFloats(int rows, int inputs) =>
        PackedPanel.Skewed(checked((nint)BlocksOf(rows) * BlockRows * SummationOrder.Steps(inputs)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Step(float* row0, float* row1, float* row2, float* row3, float* destination)
    {
        for (int lane = 0; lane < SummationOrder.Lanes; lane += 4)
        {
            Vector128<float> v0 = Vector128.Load(row0 + lane);
            Vector128<float> v1 = Vector128.Load(row1 + lane);
            Vector128<float> v2 = Vector128.Load(row2 + lane);
            Vector128<float> v3 = Vector128.Load(row3 + lane);
            Transposition.Quads<Simd128, Vector128<float>>(ref v0, ref v1, ref v2, ref v3);
            v0.Store(destination);
            v1.Store(destination + planeFloats);
            v2.Store(destination + (2 * planeFloats));
            v3.Store(destination + (3 * planeFloats));
            destination += 4 * planeFloats;
        }
    }
}
