namespace XComposer2.Native.Model;

/// <summary>
/// The AutoGPTQ layout of a 4-bit linear. Nibble k of <c>qweight[r, o]</c> is input 8r + k of output o; nibble k of <c>qzeros[g, j]</c> is
/// the zero point of output 8j + k in group g, in the first version of the layout stored less one: w[o, i] = scales[g, o] * (q - (zero + 1)) with g = g_idx[i].
/// </summary>
public static class GptqLinear
{
    public const int WeightsPerWord = 8;

    /// <summary>Dequantises outputs <paramref name="firstOutput"/> .. + <paramref name="outputCount"/>, both multiples of 8. The result is exact
    /// in F32: a 4-bit difference times an 11-bit significand.</summary>
    /// <param name="packedWeights">[inputs / 8, outputs].</param>
    /// <param name="packedZeros">[groups, outputs / 8].</param>
    /// <param name="scales">[groups, outputs].</param>
    /// <param name="groupOfInput">[inputs], each 0 .. groups - 1.</param>
    /// <param name="outputs">Columns of <paramref name="packedWeights"/>.</param>
    /// <param name="firstOutput">Where to begin.</param>
    /// <param name="outputCount">How many.</param>
    /// <param name="weight">Receives [outputCount, inputs].</param>
    /// <param name="zeroOffset">Added to stored zero points: 1 in the first version of the layout, 0 in the second.</param>
    public static void Dequantize(
        ReadOnlySpan<int> packedWeights, ReadOnlySpan<int> packedZeros, ReadOnlySpan<Half> scales, ReadOnlySpan<int> groupOfInput,
        int outputs, int firstOutput, int outputCount, Span<float> weight, int zeroOffset = 1)
    {
        int inputs = groupOfInput.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(inputs % WeightsPerWord, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs % WeightsPerWord, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(firstOutput % WeightsPerWord, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputCount % WeightsPerWord, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(outputCount, outputs - firstOutput);
        ArgumentOutOfRangeException.ThrowIfLessThan(packedWeights.Length, (inputs / WeightsPerWord) * outputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weight.Length, outputCount * inputs);

        Span<float> scale = stackalloc float[WeightsPerWord];
        Span<int> zero = stackalloc int[WeightsPerWord];
        for (int output = 0; output < outputCount; output += WeightsPerWord)
        {
            int column = firstOutput + output;
            int group = -1;
            for (int word = 0; word < inputs / WeightsPerWord; word++)
            {
                ReadOnlySpan<int> packed = packedWeights.Slice((word * outputs) + column, WeightsPerWord);
                for (int nibble = 0; nibble < WeightsPerWord; nibble++)
                {
                    int input = (word * WeightsPerWord) + nibble;
                    if (groupOfInput[input] != group)
                    {
                        group = groupOfInput[input];
                        LoadGroup(packedZeros[((group * outputs / WeightsPerWord) + (column / WeightsPerWord))..][0], scales.Slice((group * outputs) + column, WeightsPerWord), zeroOffset, scale, zero);
                    }
                    for (int k = 0; k < WeightsPerWord; k++)
                        weight[((output + k) * inputs) + input] = scale[k] * (((packed[k] >>> (4 * nibble)) & 15) - zero[k]);
                }
            }
        }
    }

    private static void LoadGroup(int packedZeros, ReadOnlySpan<Half> scales, int zeroOffset, Span<float> scale, Span<int> zero)
    {
        for (int k = 0; k < WeightsPerWord; k++)
        {
            scale[k] = (float)scales[k];
            zero[k] = ((packedZeros >>> (4 * k)) & 15) + zeroOffset;
        }
    }
}

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
internal sealed record GptqModule(string File, string Prefix, string Module, int Outputs, int Inputs, int Groups, int GroupSize, bool HasGroupIndex, bool HasBias)
{
    /// <summary>Words hold eight outputs of an input in AWQ's order, and not eight inputs of an output; zero points are stored as they are.</summary>
    public bool IsAwq { get; init; }
}
