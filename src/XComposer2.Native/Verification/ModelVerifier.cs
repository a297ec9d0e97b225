using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>Compares a checkpoint's results with a golden file made by the original code, stage by stage.</summary>
public static class ModelVerifier
{
    /// <param name="options">What to verify.</param>
    /// <param name="progress">Told each stage as it is done.</param>
    /// <param name="cancellationToken">Looked at between operations.</param>
    /// <exception cref="CheckpointException">The checkpoint or the golden file is damaged, or they do not belong together.</exception>
    public static VerificationReport Run(VerificationOptions options, IProgress<StageResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EngineException.ThrowUnless(options.Tolerance is null or >= 0, "tolerance", "a number of 0 or more", options.Tolerance);
        using LoadedModel model = LoadedModel.Open(options.ModelPath, options.Device, options.Quantization);
        using var golden = new GoldenFile(options.GoldenPath ?? Path.Combine(options.ModelPath, "golden.safetensors"), model.Config);
        var stages = new List<StageResult>();
        double device = options.Tolerance ?? VerificationTolerance.For(model.Backend);
        double tolerance = options.Tolerance ?? VerificationTolerance.For(model.Backend, options.Quantization);

        float[] embeds = new VisionVerification(model, golden, new StageLog(stages, progress, device)).Run(cancellationToken);
        using var prompts = new PromptVerification(model, golden, new StageLog(stages, progress, tolerance), embeds);
        foreach (string prompt in PromptVerification.Prompts)
            if (golden.HasPrompt(prompt))
                prompts.Run(prompt, cancellationToken);
        return new VerificationReport(model.Description, model.Backend.Description, tolerance, stages);
    }
}
