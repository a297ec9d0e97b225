namespace XComposer2.Native.Model;

/// <summary>
/// The second moments of a linear's inputs, H = XᵀX, factored as (I + U) D (I + U)ᵀ with U strictly upper triangular. An error e of a row of weights costs e H eᵀ, which is the sum over
/// columns k of D[k] (e[k] + Σ e[j] U[j, k], j &lt; k)²: whoever rounds columns in order and adds to each Σ e[j] U[j, k] first, makes every term as small as its rounding (GPTQ's feedback, written
/// as LDLᵀ). Columns may be taken in the order of falling moments. Owns its memory.
/// </summary>
internal sealed unsafe class InputFactor : IDisposable
{
    // Of the mean moment, added to each: inputs that the samples lack must not count as free.
    private const float Damping = 0.01f;

    private const int Block = 128, ChunkRows = 96, SlabRows = 256;

    private readonly NativeBlock memory;

    private InputFactor(int columns, int[]? order)
    {
        Columns = columns;
        Order = order;
        memory = new NativeBlock((long)columns * columns * sizeof(float));
    }

    public int Columns { get; }

    /// <summary>The input of each column; null where they are in the input's order.</summary>
    public int[]? Order { get; }

    /// <summary>Row j holds U[j, k] from k = j + 1 on; what is before is without meaning.</summary>
    public float* Row(int row) => (float*)memory.Address + ((nint)row * Columns);

    /// <param name="inputs">Rows of samples.</param>
    /// <param name="isOrdered">Take columns in the order of falling moments.</param>
    /// <param name="cancellation">Takes effect between blocks.</param>
    /// <exception cref="InsufficientMemoryException">The system has no memory left.</exception>
    public static InputFactor Of(InputRows inputs, bool isOrdered, CancellationToken cancellation)
    {
        int columns = inputs.Columns;
        float[] moments = inputs.Moments();
        int[]? order = isOrdered ? [.. Enumerable.Range(0, columns).OrderByDescending(column => moments[column])] : null;
        InputFactor factor = new(columns, order);
        try
        {
            factor.Fill(inputs, cancellation);
            factor.Factorise(Math.Max(Damping * moments.Average(), float.Epsilon), cancellation);
            return factor;
        }
        catch
        {
            factor.Dispose();
            throw;
        }
    }

    public void Dispose() => memory.Dispose();

    private void Fill(InputRows inputs, CancellationToken cancellation)
    {
        int chunks = (Columns + ChunkRows - 1) / ChunkRows;
        Parallel.For(0, Columns, row => new Span<float>(Row(row), Columns).Clear());
        using NativeBlock slab = new((long)SlabRows * Columns * sizeof(float));
        var x = (float*)slab.Address;
        for (int first = 0; first < inputs.Rows; first += SlabRows)
        {
            cancellation.ThrowIfCancellationRequested();
            int start = first, count = Math.Min(SlabRows, inputs.Rows - first);
            Parallel.For(0, count, row =>
            {
                float* source = inputs.Row(start + row), target = x + ((nint)row * Columns);
                for (int column = 0; column < Columns; column++)
                    target[column] = source[Order is null ? column : Order[column]];
            });
            Parallel.For(0, chunks, chunk =>
            {
                int from = chunk * ChunkRows, rows = Math.Min(ChunkRows, Columns - from);
                OuterProducts.Add(Row(from) + from, Columns, x + from, Columns, x + from, Columns, rows, Columns - from, count);
            });
        }
    }

    // H = R Rᵀ with R upper triangular, from the last block of columns to the first; then U = R[j, k] / R[k, k].
    private void Factorise(float damping, CancellationToken cancellation)
    {
        for (int i = 0; i < Columns; i++)
            Row(i)[i] += damping;
        using NativeBlock panels = new(2L * Block * Columns * sizeof(float));
        float* panel = (float*)panels.Address, negative = panel + ((nint)Block * Columns);
        for (int end = Columns; end > 0; end -= Math.Min(Block, end))
        {
            cancellation.ThrowIfCancellationRequested();
            int start = Math.Max(0, end - Block), last = end;
            for (int row = last - 1; row >= start; row--)
                Solve(row, start, last, damping);
            Parallel.For(0, start, row => Solve(row, start, last, damping));
            Parallel.For(0, last - start, column =>
            {
                for (int row = 0; row < start; row++)
                {
                    float value = Row(row)[start + column];
                    panel[((nint)column * Columns) + row] = value;
                    negative[((nint)column * Columns) + row] = -value;
                }
            });
            Parallel.For(0, (start + ChunkRows - 1) / ChunkRows, chunk =>
            {
                int from = chunk * ChunkRows, rows = Math.Min(ChunkRows, start - from);
                OuterProducts.Add(Row(from) + from, Columns, negative + from, Columns, panel + from, Columns, rows, start - from, last - start);
            });
        }

        float[] inverse = new float[Columns];
        for (int k = 0; k < Columns; k++)
            inverse[k] = 1 / Row(k)[k];
        Parallel.For(0, Columns, j =>
        {
            float* row = Row(j);
            for (int k = j + 1; k < Columns; k++)
                row[k] *= inverse[k];
        });
    }

    // A row of R within a block of columns; rows of the block are solved from the last to the first, others need all of them.
    private void Solve(int row, int start, int end, float damping)
    {
        float* own = Row(row);
        for (int k = end - 1; k >= Math.Max(start, row); k--)
        {
            float* other = Row(k);
            double sum = own[k];
            for (int c = k + 1; c < end; c++)
                sum -= (double)own[c] * other[c];
            // Rounding may leave nothing of a moment that others explain: it is no less than what was added.
            own[k] = k == row ? (float)Math.Sqrt(Math.Max(sum, damping / 2)) : (float)(sum / other[k]);
        }
    }
}
