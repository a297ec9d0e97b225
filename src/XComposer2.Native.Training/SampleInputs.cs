using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>The inputs of a graph over samples, one behind the other: ids, pictures, learnt rows and their targets.</summary>
/// <param name="graph">With the inputs of <see cref="TrainingNetwork"/>.</param>
/// <param name="targets">Right tokens.</param>
/// <param name="starts">First rows of sequences.</param>
/// <param name="rowsPerPicture">Positions of a picture.</param>
internal sealed class SampleInputs(ComputeGraph graph, Tensor targets, Tensor starts, int rowsPerPicture)
{
    private readonly Tensor ids = graph.Find(DecoderNetwork.Ids);
    private readonly Tensor visualRow = graph.Find(DecoderNetwork.VisualRow);
    private readonly Tensor logitRows = graph.Find(DecoderNetwork.LogitRows);
    private readonly Tensor logitVisualRow = graph.Find(DecoderNetwork.LogitVisualRow);
    private readonly Tensor pixels = graph.Find(VisionNetwork.Pixels);

    /// <summary>Fills the rows of samples.</summary>
    /// <param name="bound">The graph, bound.</param>
    /// <param name="samples">Of together at most its capacity.</param>
    public void Fill(IBoundGraph bound, ReadOnlySpan<PreparedSample> samples)
    {
        var filled = new RowCounts(0, 0, 0);
        foreach (PreparedSample sample in samples)
        {
            Fill(bound, sample, filled);
            filled += sample.Counts;
        }
    }

    // The sample's rows follow those of the samples before it.
    private void Fill(IBoundGraph bound, PreparedSample sample, RowCounts before)
    {
        IReadOnlyList<int> text = sample.Text.Ids, labels = sample.Text.Labels;
        Span<int> tokens = bound.Integers(ids)[before.Tokens..], first = bound.Integers(starts)[before.Tokens..], rows = bound.Integers(visualRow)[before.Tokens..];
        Span<int> chosen = bound.Integers(logitRows)[before.Logits..], chosenVisual = bound.Integers(logitVisualRow)[before.Logits..], right = bound.Integers(targets)[before.Logits..];
        (int row, int learnt) = (before.Images * rowsPerPicture, 0);
        first[..text.Count].Fill(before.Tokens);
        for (int i = 0; i < text.Count; i++)
        {
            bool isPicture = text[i] == TrainingText.Ignored;
            tokens[i] = isPicture ? 0 : text[i];
            rows[i] = isPicture ? row++ : -1;

            // What stands at a position is learnt from the one before it.
            if (i > 0 && labels[i] != TrainingText.Ignored)
                (chosen[learnt], chosenVisual[learnt], right[learnt++]) = (before.Tokens + i - 1, rows[i - 1], labels[i]);
        }

        if (sample.Pictures > 0)
            sample.Pixels.Span.CopyTo(bound.Floats(pixels)[(before.Images * (sample.Pixels.Length / sample.Pictures))..]);
    }
}
