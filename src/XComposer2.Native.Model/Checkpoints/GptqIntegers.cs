using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A linear of an AutoGPTQ or AWQ file as integers of a <see cref="WeightFormat"/>, bit for bit what the file says. In AutoGPTQ's, eight inputs of an output are one word as
/// they are here, so that elements are only transposed; in AWQ's, eight outputs of an input are, in the order 0, 2, 4, 6, 1, 3, 5, 7. Where every zero point is 8, elements become signed and the format has no zero points. Owns its memory.
/// </summary>
internal sealed unsafe class GptqIntegers : IQuantizedMatrix
{
    private const int Middle = 8;

    private const int OutputsPerTask = 32;

    private readonly IntegerParts parts;
    private readonly WeightFormat format;
    private readonly Shape shape;

    private GptqIntegers(WeightFormat format, Shape shape)
    {
        this.format = format;
        this.shape = shape;
        parts = new IntegerParts(format, shape);
    }

    public long TotalBytes => parts.TotalBytes;

    public HostTensor this[WeightPart part] => parts[part];

    /// <summary>The format that holds a linear exactly.</summary>
    /// <param name="packedZeros">[groups, outputs / 8].</param>
    /// <param name="groupOfInput">[inputs].</param>
    /// <param name="groupSize">Inputs of a group.</param>
    /// <param name="zeroOffset">Added to stored zero points.</param>
    /// <returns>Null where there is none: groups are no whole bytes.</returns>
    public static WeightFormat? FormatOf(ReadOnlySpan<int> packedZeros, ReadOnlySpan<int> groupOfInput, int groupSize, int zeroOffset)
    {
        if (groupSize % GptqLinear.WeightsPerWord != 0)
            return null;
        bool isInOrder = true;
        for (int input = 0; input < groupOfInput.Length; input++)
            isInOrder &= groupOfInput[input] == input / groupSize;
        int middles = 0x11111111 * (Middle - zeroOffset);
        return WeightFormat.Grouped(4, groupSize, packedZeros.ContainsAnyExcept(middles), !isInOrder);
    }

    /// <param name="format">Of <see cref="FormatOf"/>.</param>
    /// <param name="packedWeights">I32 [inputs / 8, outputs]; of AWQ [inputs, outputs / 8].</param>
    /// <param name="packedZeros">I32 [groups, outputs / 8].</param>
    /// <param name="scales">F16 [groups, outputs].</param>
    /// <param name="groupOfInput">[inputs].</param>
    /// <param name="zeroOffset">Added to stored zero points.</param>
    /// <param name="isAwq">Packed as AWQ packs.</param>
    public static GptqIntegers Unpack(WeightFormat format, HostTensor packedWeights, HostTensor packedZeros, HostTensor scales, ReadOnlySpan<int> groupOfInput, int zeroOffset, bool isAwq = false)
    {
        int outputs = scales.Shape[1], inputs = groupOfInput.Length;
        var result = new GptqIntegers(format, new Shape(outputs, inputs));
        if (format.HasGroupIndex)
            groupOfInput.CopyTo(new Span<int>((void*)result.parts[WeightPart.GroupIndex].Data, inputs));
        Parallel.For(0, (outputs + OutputsPerTask - 1) / OutputsPerTask, task =>
        {
            int first = task * OutputsPerTask, end = Math.Min(first + OutputsPerTask, outputs);
            if (isAwq)
                result.UnpackAwq(packedWeights, first, end);
            else
                result.Transpose(packedWeights, first, end);
            result.UnpackGroups(packedZeros, scales, first, end, zeroOffset, isAwq);
        });
        return result;
    }

    public void Dispose() => parts.Dispose();

    private void Transpose(HostTensor packedWeights, int first, int end)
    {
        int words = shape[1] / GptqLinear.WeightsPerWord;
        var source = (uint*)packedWeights.Data;
        var target = (uint*)parts[WeightPart.Elements].Data;
        uint sign = format.HasZeroPoints ? 0 : 0x88888888;
        for (int word = 0; word < words; word++)
            for (int output = first; output < end; output++)
                target[((nint)output * words) + word] = source[((nint)word * shape[0]) + output] ^ sign;
    }

    private void UnpackAwq(HostTensor packedWeights, int first, int end)
    {
        int inputs = shape[1], words = shape[0] / GptqLinear.WeightsPerWord;
        var source = (uint*)packedWeights.Data;
        var target = (byte*)parts[WeightPart.Elements].Data;
        int sign = format.HasZeroPoints ? 0 : 0x88;
        for (int input = 0; input < inputs; input += 2)
            for (int output = first; output < end; output++)
            {
                uint* word = source + ((nint)input * words) + (output / GptqLinear.WeightsPerWord);
                int shift = 4 * PlaceOf(output, isAwq: true);
                target[((nint)output * (inputs / 2)) + (input / 2)] = (byte)((((word[0] >> shift) & 15) | (((word[words] >> shift) & 15) << 4)) ^ (uint)sign);
            }
    }

    // Which nibble of its word an output is.
    private static int PlaceOf(int output, bool isAwq)
    {
        int place = output % GptqLinear.WeightsPerWord;
        return isAwq ? (place / 2) + (place % 2 * 4) : place;
    }

    private void UnpackGroups(HostTensor packedZeros, HostTensor scales, int first, int end, int zeroOffset, bool isAwq)
    {
        int groups = format.Groups(shape[1]), outputs = shape[0];
        for (int output = first; output < end; output++)
            for (int group = 0; group < groups; group++)
            {
                nint place = ((nint)output * groups) + group;
                ((ushort*)parts[WeightPart.Scales].Data)[place] = ((ushort*)scales.Data)[((nint)group * outputs) + output];
                if (!format.HasZeroPoints)
                    continue;
                int word = ((int*)packedZeros.Data)[((nint)group * (outputs / GptqLinear.WeightsPerWord)) + (output / GptqLinear.WeightsPerWord)];
                ((byte*)parts[WeightPart.ZeroPoints].Data)[place] = (byte)(((word >>> (4 * PlaceOf(output, isAwq))) & 15) + zeroOffset);
            }
    }
}
