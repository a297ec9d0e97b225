using System.Globalization;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using WeightFormat = XComposer2.Native.Kernels.WeightFormat;

namespace XComposer2.Native.KernelBench;

/// <summary>A linear in a few words.</summary>
internal static class LinearText
{
    /// <summary>"28672x4096 int8, gated": rows and columns of the weights, their format, what follows the product.</summary>
    public static string Of(LinearForm form)
    {
        List<string> words = [];
        if (form.Finish == LinearFinish.Gated) words.Add("gated");
        if (form.Finish == LinearFinish.RopeKvAppend) words.Add("rope and cache");
        if (form.HasBias) words.Add("bias");
        if (form.Activation != Activation.None) words.Add(form.Activation.ToString().ToLowerInvariant());
        if (form.HasResidual) words.Add("residual");
        else if (form.StoresFloat) words.Add("f32 out");
        string format = form.Weights == WeightFormat.Int8 ? " int8" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{form.OutFeatures}x{form.InFeatures}{format}{(words.Count > 0 ? ", " : "")}{string.Join(", ", words)}");
    }
}
