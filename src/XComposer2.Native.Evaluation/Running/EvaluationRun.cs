using System.Runtime.CompilerServices;
using XComposer2.Native.Batch;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Model;

namespace XComposer2.Native.Evaluation.Running;

/// <summary>What decides the answers of a run, besides the data set.</summary>
/// <param name="Protocol">Whose prompts and decoding.</param>
/// <param name="Limit">The first samples alone; null for all.</param>
/// <param name="Together">Answers that are searched at once.</param>
/// <param name="Beams">Beams of all searches; null for those of the protocol.</param>
internal sealed record EvaluationSettings(Protocol Protocol, int? Limit, int Together, int? Beams);

/// <summary>Asks the model all questions of a data set; answers lie in a file that a kill does not harm.</summary>
internal sealed class EvaluationRun
{
    private readonly XComposerEngine engine;
    private readonly DataSet dataSet;
    private readonly EvaluationSettings settings;
    private readonly EvaluationPrompts prompts;

    /// <param name="engine">Not owned.</param>
    /// <param name="dataSet">What to ask.</param>
    /// <param name="settings">How.</param>
    public EvaluationRun(XComposerEngine engine, DataSet dataSet, EvaluationSettings settings)
    {
        this.engine = engine;
        this.dataSet = dataSet;
        this.settings = settings;
        prompts = new EvaluationPrompts(dataSet, settings.Protocol);
        Samples = [.. dataSet.Samples.Take(settings.Limit ?? int.MaxValue)];
    }

    /// <summary>What is asked.</summary>
    public IReadOnlyList<DataSetSample> Samples { get; }

    /// <summary>Asks what has no answer yet.</summary>
    /// <param name="path">The file of answers, lines of JSON.</param>
    /// <param name="resume">Continues such a file; otherwise there must be none.</param>
    /// <param name="progress">Told after each commit; null for nobody.</param>
    /// <param name="cancellation">Ends the run; what is complete by then is in the file.</param>
    /// <exception cref="BatchException">The file belongs to another run, or cannot be written.</exception>
    /// <exception cref="EvaluationException">The data set has changed.</exception>
    /// <exception cref="EngineException">The GPU failed.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task AskAsync(string path, bool resume, IProgress<BatchProgress>? progress, CancellationToken cancellation)
    {
        RunSettings run = new RunSettings().Add("data set", dataSet.Benchmark.Name).Add("data set, SHA-256", dataSet.Hash).Add("protocol", ProtocolNames.Of(settings.Protocol))
            .Add("model", engine.Info.Model).Add("model, fingerprint", engine.Fingerprint()).Add("decoding", AnswerDecoding.Describe(settings.Beams));
        using ResultLog log = resume ? ResultLog.Resume(path, run, Check) : ResultLog.Create(path, run);
        if (log.Count >= Samples.Count)
            return;
        DataSetSample[] left = [.. Samples.Skip((int)log.Count)];
        BatchMeter meter = new(log.Count, Samples.Count, progress, TimeProvider.System);
        Sink sink = new(log, dataSet.Benchmark, settings.Protocol);
        await new BatchRunner(new EngineAnswers(engine), BatchLimits.For(settings.Together)).RunAsync(SamplesOf(left, log.Count, cancellation), sink, meter, cancellation).ConfigureAwait(false);

        void Check(long number, System.Text.Json.JsonElement line)
        {
            if (number < dataSet.Samples.Count && AnswerLine.Read(line, path, number).Index != dataSet.Samples[(int)number].Index)
                throw new BatchException($"{path}, line {number + 1}: expected the answer to the sample with index {dataSet.Samples[(int)number].Index}");
        }
    }

    /// <summary>The prompt of a sample: BOS, the picture, the text.</summary>
    public IReadOnlyList<PromptPiece> Pieces(EvaluationPrompt prompt)
    {
        int bos = engine.Tokenizer.BosId;
        IReadOnlyList<int> ids = engine.Tokenizer.Encode(prompt.Text);
        return dataSet.Benchmark.HasPictures ? [PromptPiece.OfText([bos]), PromptPiece.OfImage(0), PromptPiece.OfText([.. ids])] : [PromptPiece.OfText([bos, .. ids])];
    }

    private async IAsyncEnumerable<BatchSample<DataSetSample>> SamplesOf(DataSetSample[] left, long first, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long number = first;
        foreach (SampleWithPicture each in PictureReader.Read(dataSet, left))
        {
            cancellation.ThrowIfCancellationRequested();
            EvaluationPrompt prompt = prompts.Of(each.Sample);
            Decoding decoding = prompt.Decoding with { Beams = settings.Beams ?? prompt.Decoding.Beams };
            yield return new BatchSample<DataSetSample>
            {
                Number = number++,
                Id = each.Sample.Index,
                Source = each.Sample,
                HeldBytes = each.Base64.Length * (long)sizeof(char),
                Options = AnswerDecoding.Options(decoding),
                StopIds = AnswerDecoding.StopIds(engine.Tokenizer, decoding),
                Failure = each.Sample.Problem is { } problem ? new SampleFailure(FailureKind.Input, problem.Describe(dataSet.Path)) : null,
                Open = _ => Open(each, prompt),
            };
            await Task.CompletedTask.ConfigureAwait(false);
        }
    }

    private BatchPrompt Open(SampleWithPicture each, EvaluationPrompt prompt)
    {
        if (!dataSet.Benchmark.HasPictures)
            return new BatchPrompt(Pieces(prompt), []);
        string name = $"{dataSet.Path}, row {each.Sample.TableRow + 1} (index {each.Sample.Index}), column {DataSetReader.PictureColumn}";
        // The original does not turn pictures as their EXIF orientation says.
        ImageInput picture = each.Sample.Placement == PicturePlacement.File
            ? ImageInput.FromFile(each.Sample.Source, ExifOrientation.Ignore)
            : ImageInput.FromBytes(Convert.FromBase64String(each.Base64), name, ExifOrientation.Ignore);
        return new BatchPrompt(Pieces(prompt), [prompt.PadsPicture ? picture.PaddedToSquare() : picture]);
    }

    private sealed class Sink(ResultLog log, Benchmark benchmark, Protocol protocol) : IBatchSink<DataSetSample>
    {
        public void Write(BatchResult<DataSetSample> result) => log.Append(writer => AnswerLine.Write(writer, result, benchmark, protocol));

        public void Commit() => log.Commit();
    }
}
