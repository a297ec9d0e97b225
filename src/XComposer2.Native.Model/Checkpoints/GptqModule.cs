namespace XComposer2.Native.Model;

/// <summary>One quantised linear: where its parts lie and what it stands for.</summary>
/// <param name="File">Where its weights lie.</param>
/// <param name="Prefix">Of the stored parts, for example <c>model.layers.0.attention.wo.linear</c>.</param>
/// <param name="Module">Plain name, for example <c>model.layers.0.attention.wo</c>.</param>
/// <param name="Outputs">Rows of the weight.</param>
/// <param name="Inputs">Columns of the weight.</param>
/// <param name="Groups">Rows of the scales.</param>
/// <param name="GroupSize">Inputs of a group, where the file has no g_idx.</param>
/// <param name="HasGroupIndex">Whether g_idx is stored.</param>
/// <param name="HasBias">Whether a bias is stored and not all of it is zero.</param>
internal sealed record GptqModule(string File, string Prefix, string Module, int Outputs, int Inputs, int Groups, int GroupSize, bool HasGroupIndex, bool HasBias);
