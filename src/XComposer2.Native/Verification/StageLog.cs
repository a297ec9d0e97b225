namespace XComposer2.Native;

/// <summary>Collects the stages of one verification and passes them on.</summary>
internal sealed class StageLog(List<StageResult> stages, IProgress<StageResult>? progress, double tolerance)
{
    public void Compare(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found) =>
        Add(TensorComparison.Compare(name, expected, found, tolerance));

    /// <param name="name">Of the stage.</param>
    /// <param name="expected">Golden ids.</param>
    /// <param name="found">Ids of this run.</param>
    /// <param name="leads">By how much the golden logits prefer the expected id to the found one, relative to their root mean square.</param>
    public void Compare(string name, ReadOnlySpan<int> expected, ReadOnlySpan<int> found, ReadOnlySpan<double> leads)
    {
        // Two logits that are each off by the tolerance may change places where they are as close as that; the factor is for the tail of the errors.
        bool passed = true;
        for (int i = 0; i < expected.Length; i++)
            passed &= expected[i] == found[i] || leads[i] <= 4 * tolerance;
        Add(new IdStage(name, passed, expected.ToArray(), found.ToArray()));
    }

    private void Add(StageResult stage)
    {
        stages.Add(stage);
        progress?.Report(stage);
    }
}
