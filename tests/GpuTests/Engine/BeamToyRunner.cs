using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using XComposer2.Native.UnitTests;

namespace XComposer2.Native.GpuTests;

/// <summary>A toy model of the beam cases below a real scheduler, page pool and sampler: logits depend on the last id and the number of the token.</summary>
internal sealed class BeamToyRunner(SamplerRun run, BeamToy model, int promptLength, bool runsAhead) : IStepRunner
{
    private readonly KeyValuePool pool = new(new NoMemory());

    public KeyValuePool Pool => pool;

    public int PagesPerSequence => 16;

    public bool RunsAhead => runsAhead;

    /// <summary>Rows of the largest step.</summary>
    public int WidestStep { get; private set; }

    /// <summary>Logits of a row: rows of the device's graphs hold multiples of four.</summary>
    public static int Columns(int vocabulary) => (vocabulary + 3) / 4 * 4;

    public void Begin(int slot, in SamplingRequest request) => run.Sampler.Begin(slot, request);

    public bool HasRows(PreparedPicture picture) => true;

    public void Encode(PreparedPicture picture, CancellationToken cancellation)
    {
    }

    public void Pin(PreparedPicture picture)
    {
    }

    public void Unpin(PreparedPicture picture)
    {
    }

    public void Read(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, RowChoice? choice, CancellationToken cancellation)
    {
        if (choice is { } wanted)
            Choose([model.Logits(positions[^1].Id, 0)], [wanted]);
    }

    public void Step(ReadOnlySpan<StepRow> rows, CancellationToken cancellation)
    {
        WidestStep = Math.Max(WidestStep, rows.Length);
        var logits = new float[rows.Length][];
        var choices = new RowChoice[rows.Length];
        for (int row = 0; row < rows.Length; row++)
        {
            logits[row] = model.Logits(rows[row].Id!.Value, rows[row].Sequence.Length + 1 - promptLength);
            choices[row] = rows[row].Choice;
        }

        Choose(logits, choices);
    }

    public ReadOnlySpan<TokenChoice> Take() => run.Sampler.Take();

    public void DropChoices() => throw new InvalidOperationException("a step has failed");

    // The output has the rows from the last to the first.
    private void Choose(float[][] logits, RowChoice[] choices)
    {
        run.Run([.. logits.Select(row => (float[])[.. row, .. Enumerable.Repeat(float.NegativeInfinity, Columns(row.Length) - row.Length)])]);
        run.Sampler.Choose(run.Graph, run.Logits, [.. choices.Select((choice, index) => new SampleRow(choices.Length - 1 - index, choice.Slot, choice.Ranking))]);
    }

    private sealed class NoMemory : IKeyValueMemory
    {
        public KeyValueLayout Layout => new(1, new AttentionGeometry(1, 1, 8), CacheFormat.F32);

        public int PageCount => 1024;

        public int ReadyPages { get; private set; }

        public bool Grow(int pages)
        {
            ReadyPages = Math.Max(ReadyPages, pages);
            return true;
        }

        public void Copy(int source, int destination)
        {
        }

        public void Dispose()
        {
        }
    }
}
