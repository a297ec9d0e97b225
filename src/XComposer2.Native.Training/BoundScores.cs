using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>A forward pass bound for samples of together up to some size. Owns the bound graph.</summary>
internal sealed class BoundScores : IDisposable
{
    private readonly ScoringGraph scoring;
    private readonly SampleInputs inputs;
    private readonly IBoundGraph graph;

    /// <param name="backend">Binds.</param>
    /// <param name="scoring">The graph.</param>
    /// <param name="rowsPerPicture">Positions of a picture.</param>
    /// <param name="weights">Frozen and trained ones.</param>
    /// <param name="parameters">The trained ones.</param>
    public BoundScores(ITrainingBackend backend, ScoringGraph scoring, int rowsPerPicture, IWeightSource weights, IParameterMemory parameters)
    {
        this.scoring = scoring;
        graph = backend.BindTraining(backend.Plan(scoring.Graph), weights, parameters);
        inputs = new SampleInputs(scoring.Graph, scoring.Targets, scoring.Starts!.Value, rowsPerPicture);
    }

    /// <summary>The sizes it is planned for.</summary>
    public RowCounts Capacity => scoring.Graph.Capacity;

    /// <summary>Scores samples.</summary>
    /// <param name="samples">Of together at most <see cref="Capacity"/>.</param>
    /// <param name="counts">Their sum.</param>
    /// <param name="scores">Receives the score of each.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    public void Run(ReadOnlySpan<PreparedSample> samples, RowCounts counts, Span<SampleScore> scores, CancellationToken cancellation)
    {
        inputs.Fill(graph, samples);
        graph.Run(counts, [], cancellation);
        ReadOnlySpan<float> found = graph.Output(scoring.Output);
        for (int i = 0; i < samples.Length; i++)
        {
            int learnt = samples[i].Counts.Logits;
            scores[i] = SampleScore.Of(samples[i].Text, found[..(2 * learnt)]);
            found = found[(2 * learnt)..];
        }
    }

    public void Dispose() => graph.Dispose();
}

/// <summary>How well a model knows a sample.</summary>
/// <param name="Loss">Mean over its learnt tokens.</param>
/// <param name="Answers">Answers of the sample.</param>
/// <param name="ExactAnswers">Those that greedy decoding would give, after the answers before them: each of their tokens, and the end mark, is the likeliest one.</param>
public readonly record struct SampleScore(double Loss, int Answers, int ExactAnswers)
{
    /// <param name="text">Ids and labels.</param>
    /// <param name="scores">[learnt, 2]: the loss of each learnt position, and whether its token is the likeliest.</param>
    internal static SampleScore Of(LabelledText text, ReadOnlySpan<float> scores)
    {
        double sum = 0;
        (int answers, int exact, int row) = (0, 0, 0);
        (bool isExact, bool isOver) = (false, true);
        for (int i = 1; i < text.Labels.Count; i++)
        {
            int label = text.Labels[i];
            if (label == TrainingText.Ignored)
            {
                Close(ref exact);
                continue;
            }

            bool isFirst = i == 1 || text.Labels[i - 1] == TrainingText.Ignored;
            if (isFirst)
                (answers, isExact, isOver) = (answers + 1, true, false);
            sum += scores[2 * row];
            isExact &= isOver || scores[(2 * row) + 1] != 0;
            row++;

            // What is learnt behind an end mark, decoding never reaches.
            if (label == text.EndMark)
                Close(ref exact);
        }

        Close(ref exact);
        return new SampleScore(sum / row, answers, exact);

        void Close(ref int count)
        {
            count += isExact && !isOver ? 1 : 0;
            isOver = true;
        }
    }
}
