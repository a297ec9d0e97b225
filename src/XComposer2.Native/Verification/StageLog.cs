namespace XComposer2.Native;

/// <summary>Collects the stages of one verification and passes them on.</summary>
internal sealed class StageLog(List<StageResult> stages, IProgress<StageResult>? progress, double tolerance)
{
    public void Compare(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found) =>
        Add(TensorComparison.Compare(name, expected, found, tolerance));

    public void Compare(string name, ReadOnlySpan<int> expected, ReadOnlySpan<int> found) =>
        Add(new IdStage(name, expected.SequenceEqual(found), expected.ToArray(), found.ToArray()));

    private void Add(StageResult stage)
    {
        stages.Add(stage);
        progress?.Report(stage);
    }
}
