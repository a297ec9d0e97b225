using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Row t is visual[visualRow[t]] if visualRow[t] is not negative, otherwise table[ids[t]].</summary>
public static unsafe class EmbedTokensKernel
{
    /// <param name="ids">[tokens]; ignored for visual tokens.</param>
    /// <param name="table">[vocabulary, hidden] of any floating-point type, or int8 by rows.</param>
    /// <param name="visual">[visualRows, hidden]; null if there are none.</param>
    /// <param name="visualRow">[tokens], negative for text; null if all tokens are text.</param>
    /// <param name="visualRows">Rows of <paramref name="visual"/>.</param>
    /// <param name="output">[tokens, hidden].</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="pool">Worker threads.</param>
    /// <exception cref="NotSupportedException">The table has another format.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token ID or visual row is out of range; nothing is written.</exception>
    public static void Run(
        int* ids, in WeightMatrix table, float* visual, int* visualRow, int visualRows, float* output, int tokens, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        table.Require(nameof(table), table.Rows, table.Columns);
        if (!table.Format.IsFloat && table.Format != WeightFormat.Int8)
            throw new NotSupportedException($"the processor has no kernel for a table of {table.Format}");
        int* rows = visual is null ? null : visualRow;
        for (int token = 0; token < tokens; token++)
        {
            if (rows is not null && rows[token] >= 0)
            {
                if (rows[token] >= visualRows)
                    throw new ArgumentOutOfRangeException(nameof(visualRow), rows[token], $"token {token}: there are {visualRows} visual rows");
            }
            else if ((uint)ids[token] >= (uint)table.Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), ids[token], $"token {token}: the vocabulary has {table.Rows} entries");
            }
        }

        var work = new Work(ids, table, visual, rows, output, RowBlocks.For(tokens, Math.Max(1, table.Columns)));
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work(int* ids, WeightMatrix table, float* visual, int* visualRow, float* output, RowBlocks blocks) : IWork
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            nint hidden = table.Columns;
            long rowBytes = hidden * sizeof(float);
            for (int token = blocks.Start(task); token < blocks.End(task); token++)
            {
                float* row = output + (token * hidden);
                if (visualRow is not null && visualRow[token] >= 0)
                    Buffer.MemoryCopy(visual + (visualRow[token] * hidden), row, rowBytes, rowBytes);
                else if (table.Format.IsFloat)
                    FloatLoads.Widen<Simd256, Vector256<float>>(table.Elements, table.Format.Elements, ids[token] * hidden, row, hidden);
                else
                    Scale((sbyte*)table.Elements + (ids[token] * hidden), ((float*)table.Scales)[ids[token]], row, hidden);
            }
        }

        private static void Scale(sbyte* source, float scale, float* row, nint count)
        {
            nint i = 0;
            for (; i <= count - Simd256.Count; i += Simd256.Count)
                Simd256.Store(Simd256.LoadInt8(source + i) * Vector256.Create(scale), row + i);
            for (; i < count; i++)
                row[i] = source[i] * scale;
        }
    }
}
