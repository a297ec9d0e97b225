namespace XComposer2.Native.Batch;

/// <summary>Where a run stands.</summary>
/// <param name="Done">Samples with a result that is on disk, those of earlier runs included.</param>
/// <param name="Total">All samples; null while the input was not read to its end.</param>
/// <param name="Failed">Samples of this run without an answer.</param>
/// <param name="SamplesPerSecond">Of this run; 0 before its first result.</param>
/// <param name="PicturesPerSecond">Of this run.</param>
/// <param name="Elapsed">Since this run began.</param>
/// <param name="Left">Time to the end at this speed; null where it is not known.</param>
internal readonly record struct BatchProgress(
    long Done, long? Total, long Failed, double SamplesPerSecond, double PicturesPerSecond, TimeSpan Elapsed, TimeSpan? Left);

/// <summary>Counts what a run has done and tells how fast it is.</summary>
/// <param name="before">Samples that earlier runs have done.</param>
/// <param name="total">All samples; null where it is not known yet.</param>
/// <param name="listener">Told after each commit; null for nobody.</param>
/// <param name="time">The clock.</param>
internal sealed class BatchMeter(long before, long? total, IProgress<BatchProgress>? listener, TimeProvider time)
{
    private readonly long start = time.GetTimestamp();
    private long counted;
    private long pictures;
    private long failed;

    /// <summary>All samples; null where it is not known yet.</summary>
    public long? Total { get; set; } = total;

    public void Count(int shownPictures, bool isFailed)
    {
        counted++;
        pictures += shownPictures;
        failed += isFailed ? 1 : 0;
    }

    public void Report() => listener?.Report(Now());

    public BatchProgress Now()
    {
        TimeSpan elapsed = time.GetElapsedTime(start);
        double perSecond = elapsed > TimeSpan.Zero ? counted / elapsed.TotalSeconds : 0;
        long done = before + counted;
        TimeSpan? left = Total is { } all && perSecond > 0 ? TimeSpan.FromSeconds(Math.Min(Math.Max(all - done, 0) / perSecond, TimeSpan.MaxValue.TotalSeconds / 2)) : null;
        return new BatchProgress(done, Total, failed, perSecond, elapsed > TimeSpan.Zero ? pictures / elapsed.TotalSeconds : 0, elapsed, left);
    }
}
