using XComposer2.Native.Evaluation.Frames;

namespace XComposer2.Native.Evaluation.DataSets;

/// <summary>A sample, and the picture in it; base64 is decoded by who needs it.</summary>
/// <param name="Sample">The sample.</param>
/// <param name="Base64">The picture, where it is in the data set; else empty.</param>
internal readonly record struct SampleWithPicture(DataSetSample Sample, string Base64);

/// <summary>Reads the pictures of a data set in the order of its samples; of those in the file one at a time is in memory, and those that other rows refer to.</summary>
internal static class PictureReader
{
    /// <param name="dataSet">The data set.</param>
    /// <param name="samples">Some of its samples, in their order.</param>
    /// <exception cref="EvaluationException">The file has changed since it was checked.</exception>
    public static IEnumerable<SampleWithPicture> Read(DataSet dataSet, IReadOnlyList<DataSetSample> samples)
    {
        if (!samples.Any(sample => sample.Placement is PicturePlacement.Embedded or PicturePlacement.OtherRow))
        {
            foreach (DataSetSample sample in samples)
                yield return new SampleWithPicture(sample, "");
            yield break;
        }

        HashSet<string> wanted = [.. samples.Where(sample => sample.Placement == PicturePlacement.OtherRow).Select(sample => sample.Source)];
        Dictionary<string, string> shared = wanted.Count == 0 ? [] : Shared(dataSet, wanted);
        int picture = Array.IndexOf(TsvReader.ReadHeader(dataSet.Path), DataSetReader.PictureColumn);
        using IEnumerator<TsvRow> rows = TsvReader.ReadRows(dataSet.Path).GetEnumerator();
        foreach (DataSetSample sample in samples)
        {
            while (rows.Current is null || rows.Current.Number < sample.TableRow + 1)
                if (!rows.MoveNext())
                    throw new EvaluationException($"{dataSet.Path}: has changed: row {sample.TableRow + 1} is missing");
            yield return new SampleWithPicture(sample, sample.Placement switch
            {
                PicturePlacement.Embedded => DataSetReader.FirstPicture(rows.Current.Cells[picture]),
                PicturePlacement.OtherRow => shared.GetValueOrDefault(sample.Source, ""),
                _ => "",
            });
        }
    }

    private static Dictionary<string, string> Shared(DataSet dataSet, HashSet<string> wanted)
    {
        string[] header = TsvReader.ReadHeader(dataSet.Path);
        int picture = Array.IndexOf(header, DataSetReader.PictureColumn), index = Array.IndexOf(header, "index");
        Dictionary<string, string> shared = new(StringComparer.Ordinal);
        foreach (TsvRow row in TsvReader.ReadRows(dataSet.Path))
            if (wanted.Contains(row.Cells[index]))
                shared.TryAdd(row.Cells[index], DataSetReader.FirstPicture(row.Cells[picture]));
        return shared;
    }
}
