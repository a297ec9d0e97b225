using XComposer2.Demo.World;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;

namespace XComposer2.Demo.Training;

/// <summary>
/// The stand-in for CLIP's own training: each patch names what its cell of the picture shows, colour, form and size, or nothing. Only the vision tower learns, with a head that
/// is thrown away.
/// </summary>
internal sealed class VisionStage(int steps, int pictures, double rate)
{
    private const string Head = "patch_head.weight";
    private const int Sizes = 2, Empty = Thing.Colors * Thing.Forms * Sizes, Classes = Empty + 1, SideCells = 3;
    private const float EmptyWeight = 0.2f;
    private const double WeightDecay = 0.05;

    private static readonly AdamWSettings optimiser = new(0.9, 0.98, 1e-8);

    /// <summary>Trains the vision tower of a checkpoint, and writes the checkpoint with it.</summary>
    /// <param name="from">Folder of a checkpoint in F32.</param>
    /// <param name="to">Folder of the result.</param>
    /// <param name="backend">Computes.</param>
    /// <param name="seed">Of the pictures.</param>
    /// <param name="report">Receives the step and the mean loss of the last hundred.</param>
    /// <param name="cancellation">Takes effect between operations.</param>
    public void Run(string from, string to, ITrainingBackend backend, ulong seed, Action<int, double> report, CancellationToken cancellation)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(from, new CheckpointOptions());
        ModelConfig config = checkpoint.Config;
        using var weights = new PreparedWeights(checkpoint, config);
        ParameterSpec[] specs =
        [
            .. ModelTensors.Expected(config).Where(tensor => tensor.Kind == TensorKind.Vision).Select(tensor => new ParameterSpec(tensor.Name, tensor.Shape)),
            new ParameterSpec(Head, new Shape(Classes, config.Vision.Width)),
        ];
        using IParameterMemory parameters = backend.AllocateParameters(specs);
        for (int i = 0; i < specs.Length; i++)
            Begin(weights, specs[i], seed).CopyTo(parameters.Read(i, ParameterPart.Values));
        TrainingGraph training = TrainingNetwork.BuildPatchClassifier(config, WeightFacts.Of(weights, config), pictures, Head, Classes);
        using var source = new ParameterWeights(parameters);
        using IBoundGraph graph = backend.BindTraining(backend.Plan(training.Graph), source, parameters);
        ParameterRate[] rates = [.. specs.Select(spec => new ParameterRate(rate, spec.Shape.Rank > 1 ? WeightDecay : 0))];
        var schedule = RateSchedule.For(steps);
        Batch next = Draw(config, seed, 0);
        double sum = 0;
        for (int step = 0; step < steps; step++)
        {
            Batch batch = next;
            Task<Batch> drawing = Task.Run(() => Draw(config, seed, step + 1), cancellation);
            batch.Pixels.CopyTo(graph.Floats(training.Graph.Find(VisionNetwork.Pixels)));
            batch.Classes.CopyTo(graph.Integers(training.Targets!.Value));
            batch.Factors.CopyTo(graph.Floats(training.OutputGradient));
            parameters.ClearGradients();
            graph.Run(new RowCounts(0, 0, pictures), [], cancellation);
            ReadOnlySpan<float> losses = graph.Output(training.Output);
            for (int i = 0; i < losses.Length; i++)
                sum += losses[i] * batch.Factors[i];
            double factor = schedule.FactorAt(step);
            parameters.Update(optimiser, step + 1, Math.Min(1, 1 / (parameters.GradientNorm() + 1e-6)), [.. rates.Select(each => each with { Rate = each.Rate * factor })]);
            next = drawing.GetAwaiter().GetResult();
            if ((step + 1) % 100 == 0)
            {
                report(step + 1, sum / 100);
                sum = 0;
            }
        }

        Save(to, checkpoint, parameters);
    }

    private static float[] Begin(PreparedWeights weights, ParameterSpec spec, ulong seed) =>
        weights.TryGet(spec.Name, out HostTensor stored) ? HostTensorValues.ToFloats(stored) : FreshModel.Values(spec.Name, spec.Shape, seed);

    // One to six things in a picture. Empty cells weigh less, because most are.
    private Batch Draw(ModelConfig config, ulong seed, int step)
    {
        int side = config.ImageSize, grid = config.ImageGrid, patches = grid * grid;
        var batch = new Batch(new float[pictures * 3 * side * side], new int[pictures * patches], new float[pictures * patches]);
        float total = 0;
        for (int picture = 0; picture < pictures; picture++)
        {
            SeededRandom random = SeededRandom.For("vision-stage", seed, ((long)step * pictures) + picture);
            Scene scene = Scene.Crowded(random);
            ImagePreprocessor.Run(ToyPicture.Of(scene, random).ToInputImage(side), side, SquareMode.Squash, batch.Pixels.AsSpan(picture * 3 * side * side, 3 * side * side));
            for (int patch = 0; patch < patches; patch++)
            {
                int at = (picture * patches) + patch, cell = (patch / grid * SideCells / grid * SideCells) + (patch % grid * SideCells / grid);
                batch.Classes[at] = Empty;
                foreach (SceneObject each in scene.Objects)
                    if (each.Cell == cell)
                        batch.Classes[at] = (((((int)each.Color) * Thing.Forms) + (int)each.Form) * Sizes) + (each.IsLarge ? 1 : 0);
                total += batch.Factors[at] = batch.Classes[at] == Empty ? EmptyWeight : 1;
            }
        }

        for (int i = 0; i < batch.Factors.Length; i++)
            batch.Factors[i] /= total;
        return batch;
    }

    private static void Save(string folder, Checkpoint checkpoint, IParameterMemory parameters)
    {
        Directory.CreateDirectory(folder);
        Dictionary<string, int> numbers = parameters.Parameters.Select((spec, number) => (spec.Name, number)).ToDictionary(pair => pair.Name, pair => pair.number, StringComparer.Ordinal);
        HostTensorName[] tensors = [.. ModelTensors.Expected(checkpoint.Config).Select(tensor => new HostTensorName(tensor.Name, DType.F32, tensor.Shape))];
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors, tensor => numbers.TryGetValue(tensor.Name, out int number)
            ? SafetensorsWriter.BytesOf(parameters.Read(number, ParameterPart.Values), DType.F32)
            : checkpoint.TryGet(tensor.Name, out HostTensor stored) ? SafetensorsWriter.BytesOf(stored) : throw new InvalidOperationException($"{tensor.Name}: missing"));
        foreach (string name in (string[])["config.json", "tokenizer.model"])
            File.Copy(Path.Combine(checkpoint.Directory, name), Path.Combine(folder, name), overwrite: true);
    }

    private sealed record Batch(float[] Pixels, int[] Classes, float[] Factors);

    private sealed class ParameterWeights(IParameterMemory parameters) : IWeightSource
    {
        public bool TryGet(string name, out HostTensor tensor)
        {
            for (int i = 0; i < parameters.Parameters.Length; i++)
                if (parameters.Parameters[i].Name == name)
                {
                    tensor = parameters.Weight(i);
                    return true;
                }

            tensor = default;
            return false;
        }

        public void Dispose()
        {
        }
    }
}
