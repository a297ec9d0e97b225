using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A checkpoint with AutoGPTQ or AWQ linears, seen as one with plain weights: <c>MODULE.linear.{qweight, ...}</c> appears as
/// <c>MODULE.weight</c>, and as <c>MODULE.bias</c> where the stored bias is not zero. A weight is unpacked to integers (<see cref="ServeIntegers"/>) or dequantised when it is first asked
/// for, on all cores, into memory that lives until <see cref="Release"/> or disposal. Memory: 4 bytes a weight in F32 (exact), 2 in F16 (rounds once, as
/// the original does on a GPU); a 7B has 6.4 thousand million such weights.
/// </summary>
internal sealed unsafe class GptqWeights : IWeightSource
{
    public const string QuantizedSuffix = ".qweight";

    private const int OutputsPerTask = 32;
    private const int MaximumSize = 1 << 20;

    private readonly TensorSet source;
    private readonly Dictionary<string, GptqModule> modules = [];
    private readonly Dictionary<string, NativeBlock> blocks = [];
    private readonly Dictionary<string, WeightFormat> formats = [];
    private readonly Dictionary<string, GptqIntegers> integers = [];
    private readonly int zeroOffset;
    private readonly Lock making = new();

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    /// <param name="source">The stored tensors.</param>
    /// <param name="settings">From quantize_config.json.</param>
    /// <param name="exactLimitBytes">Weights are served in F32 while all of them together stay within this, else in F16.</param>
    public GptqWeights(TensorSet source, QuantizationSettings settings, long exactLimitBytes)
    {
        this.source = source;
        zeroOffset = settings.ZeroOffset;
        Dictionary<string, CheckpointTensor> stored = source.Tensors.ToDictionary(tensor => tensor.Name);
        List<CheckpointTensor> tensors = [];
        long weights = 0;
        foreach (CheckpointTensor tensor in source.Tensors)
        {
            if (!tensor.Name.EndsWith(QuantizedSuffix, StringComparison.Ordinal))
                continue;
            GptqModule module = Describe(stored, tensor, settings.GroupSize);
            if (!modules.TryAdd(module.Module + ".weight", module) || stored.ContainsKey(module.Module + ".weight"))
                throw new CheckpointException(tensor.File, $"tensor {CheckpointException.Show(tensor.Name)}", "one weight for a module", $"a second {CheckpointException.Show(module.Module + ".weight")}");
            weights += (long)module.Outputs * module.Inputs;
        }
        WeightType = weights * sizeof(float) <= exactLimitBytes ? DType.F32 : DType.F16;
        HashSet<string> parts = [];
        foreach (GptqModule module in modules.Values)
            foreach (string part in (ReadOnlySpan<string>)["qweight", "qzeros", "scales", "g_idx", "bias"])
                parts.Add($"{module.Prefix}.{part}");
        foreach (CheckpointTensor tensor in source.Tensors)
        {
            if (!parts.Contains(tensor.Name))
                tensors.Add(tensor);
            else if (tensor.Name.EndsWith(QuantizedSuffix, StringComparison.Ordinal))
                AddFacts(tensors, stored, tensor);
        }
        Tensors = tensors;
    }

    /// <summary>Plain names; for a quantised weight the type name GPTQ4 and the bytes of its parts in the file.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>Who packed the weights: GPTQ or AWQ.</summary>
    public string Kind => modules.Values.Any(module => module.IsAwq) ? "AWQ" : "GPTQ";

    /// <summary>Type in which dequantised weights are served.</summary>
    public DType WeightType { get; }

    /// <summary>Weights whose format a device reads are served as integers from now on.</summary>
    /// <returns>Whether all of them are.</returns>
    /// <exception cref="CheckpointException">A group index names groups that there are not.</exception>
    public bool ServeIntegers(Func<WeightFormat, bool> isRead)
    {
        foreach ((string name, GptqModule module) in modules)
            if (GptqIntegers.FormatOf(Words(Get(module, "qzeros")), GroupIndex(module), module.GroupSize, ZeroOffset(module)) is { } format && isRead(format))
                formats[name] = format;
        return formats.Count == modules.Count;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        if (formats.TryGetValue(name, out format))
            return true;
        bool isFloat = TryDescribe(name, out HostTensor facts) && facts.Type.IsFloat();
        format = isFloat ? WeightFormat.Of(facts.Type) : default;
        return isFloat;
    }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (IntegersOf(name) is { } weight)
        {
            tensor = Unpacked(weight.Name)[weight.Part.Part];
            return true;
        }
        if (modules.TryGetValue(name, out GptqModule? module))
        {
            tensor = new HostTensor(Dequantized(name, module), WeightType, new Shape(module.Outputs, module.Inputs));
            return true;
        }
        return source.TryGet(StoredName(name), out tensor);
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (IntegersOf(name) is { } weight)
        {
            facts = new HostTensor(0, weight.Part.Type, weight.Part.Shape);
            return true;
        }

        if (!modules.TryGetValue(name, out GptqModule? module))
        {
            bool found = TryGet(name, out facts);
            facts = facts with { Data = 0 };
            return found;
        }

        facts = new HostTensor(0, WeightType, new Shape(module.Outputs, module.Inputs));
        return true;
    }

    public long AllocatedBytes(string name) => IntegersOf(name) is { } weight ? weight.Part.Bytes : modules.TryGetValue(name, out GptqModule? module) ? BytesOf(module) : source.AllocatedBytes(StoredName(name));

    public long HeldBytes
    {
        get
        {
            lock (making)
                return blocks.Values.Sum(block => block.LengthBytes) + integers.Values.Sum(matrix => matrix.TotalBytes) + source.HeldBytes;
        }
    }

    public void RequireIntact() => source.RequireIntact();

    /// <summary>Frees an unpacked weight with all its parts, which is made anew when it is asked for again.</summary>
    public void Release(string name)
    {
        if (IntegersOf(name) is { } weight)
        {
            lock (making)
            {
                if (integers.Remove(weight.Name, out GptqIntegers? matrix))
                    matrix.Dispose();
            }

            return;
        }

        if (!modules.ContainsKey(name))
        {
            source.Release(StoredName(name));
            return;
        }
        lock (making)
        {
            if (blocks.Remove(name, out NativeBlock? block))
                block.Dispose();
        }
    }

    /// <summary>The stored numbers that decide whether a tensor is finite: the scales of a quantised weight, otherwise the tensor itself.</summary>
    public bool TryGetStoredNumbers(string name, out HostTensor tensor) =>
        modules.TryGetValue(name, out GptqModule? module) ? source.TryGet(module.Prefix + ".scales", out tensor) : TryGet(name, out tensor);

    public void Dispose()
    {
        lock (making)
        {
            foreach (NativeBlock block in blocks.Values)
                block.Dispose();
            blocks.Clear();
            foreach (GptqIntegers matrix in integers.Values)
                matrix.Dispose();
            integers.Clear();
        }
        source.Dispose();
    }

    /// <summary>The weight that is served as integers and that a name is of, and which of its parts; null where there is none.</summary>
    private (string Name, WeightPartSpec Part)? IntegersOf(string name)
    {
        (string weight, WeightPart part) = WeightFormat.Parse(name);
        if (!formats.TryGetValue(weight, out WeightFormat format) || !format.Has(part))
            return null;
        GptqModule module = modules[weight];
        return (weight, format.Parts(new Shape(module.Outputs, module.Inputs)).Single(spec => spec.Part == part));
    }

    private GptqIntegers Unpacked(string name)
    {
        lock (making)
        {
            if (integers.TryGetValue(name, out GptqIntegers? matrix))
                return matrix;
            GptqModule module = modules[name];
            matrix = Unpack(module, formats[name]);
            integers.Add(name, matrix);
            return matrix;
        }
    }

    private GptqIntegers Unpack(GptqModule module, WeightFormat format) =>
        GptqIntegers.Unpack(format, Get(module, "qweight"), Get(module, "qzeros"), Get(module, "scales"), GroupIndex(module), ZeroOffset(module), module.IsAwq);

    private int ZeroOffset(GptqModule module) => module.IsAwq ? 0 : zeroOffset;

    private void AddFacts(List<CheckpointTensor> tensors, Dictionary<string, CheckpointTensor> stored, CheckpointTensor packed)
    {
        GptqModule module = modules[ModuleName(packed.Name[..^QuantizedSuffix.Length]) + ".weight"];
        long bytes = packed.Bytes + stored[module.Prefix + ".qzeros"].Bytes + stored[module.Prefix + ".scales"].Bytes;
        if (module.HasGroupIndex)
            bytes += stored[module.Prefix + ".g_idx"].Bytes;
        tensors.Add(new CheckpointTensor(module.Module + ".weight", module.IsAwq ? "AWQ4" : "GPTQ4", WeightType, new Shape(module.Outputs, module.Inputs), bytes, packed.File));
        if (module.HasBias)
            tensors.Add(stored[module.Prefix + ".bias"] with { Name = module.Module + ".bias" });
    }

    private GptqModule Describe(Dictionary<string, CheckpointTensor> stored, CheckpointTensor packed, int? groupSize)
    {
        string prefix = packed.Name[..^QuantizedSuffix.Length];
        CheckpointTensor scales = Part("scales"), zeros = Part("qzeros");
        Require(packed, packed.Type == DType.I32 && packed.Shape.Rank == 2, "I32 [inputs / 8, outputs]");
        bool isAwq = scales.Shape.Rank == 2 && scales.Shape[1] == (long)packed.Shape[1] * GptqLinear.WeightsPerWord;
        long inputs = isAwq ? packed.Shape[0] : (long)packed.Shape[0] * GptqLinear.WeightsPerWord;
        int outputs = isAwq ? scales.Shape[1] : packed.Shape[1];
        Require(packed, !isAwq || inputs % GptqLinear.WeightsPerWord == 0, "inputs in whole words of 8");
        Require(packed, inputs is > 0 and <= MaximumSize && outputs is > 0 and <= MaximumSize && packed.Bytes <= int.MaxValue && outputs % GptqLinear.WeightsPerWord == 0, $"sizes of 1 to {MaximumSize}, under 2 GiB, and outputs in whole words of 8");
        Require(scales, scales.Type == DType.F16 && scales.Shape.Rank == 2 && scales.Shape[1] == outputs && scales.Shape[0] > 0 && scales.Bytes <= int.MaxValue, $"F16 [groups, {outputs}], under 2 GiB");
        int groups = scales.Shape[0];
        Require(zeros, zeros.Type == DType.I32 && zeros.Shape == new Shape(groups, outputs / GptqLinear.WeightsPerWord), $"I32 [{groups}, {outputs / GptqLinear.WeightsPerWord}]");
        int size = groupSize is > 0 ? groupSize.Value : (int)((inputs + groups - 1) / groups);
        Require(scales, (inputs + size - 1) / size == groups, $"{(inputs + size - 1) / size} groups of {size} inputs for {inputs} inputs");
        bool hasGroupIndex = stored.TryGetValue(prefix + ".g_idx", out CheckpointTensor? index);
        if (hasGroupIndex)
            Require(index!, index!.Type == DType.I32 && index.Shape == new Shape((int)inputs), $"I32 [{inputs}]");
        bool hasBias = stored.TryGetValue(prefix + ".bias", out CheckpointTensor? bias);
        if (hasBias)
            Require(bias!, bias!.Type is DType.F16 or DType.F32 or DType.BF16 && bias.Shape == new Shape(outputs), $"floating [{outputs}]");
        return new GptqModule(packed.File, prefix, ModuleName(prefix), outputs, (int)inputs, groups, size, hasGroupIndex, hasBias && !IsZero(prefix + ".bias")) { IsAwq = isAwq };

        CheckpointTensor Part(string part) => stored.TryGetValue($"{prefix}.{part}", out CheckpointTensor? found)
            ? found
            : throw new CheckpointException(packed.File, $"tensor {CheckpointException.Show(prefix + "." + part)}", $"it beside {CheckpointException.Show(packed.Name)}", "no such tensor");

        static void Require(CheckpointTensor tensor, bool holds, string expected)
        {
            if (!holds)
                throw new CheckpointException(tensor.File, $"tensor {CheckpointException.Show(tensor.Name)}", expected, $"{tensor.TypeName} {tensor.Shape}");
        }
    }

    /// <summary>The name in the files of a tensor that is not dequantised: a bias lies beside its module's packed weight.</summary>
    private string StoredName(string name)
    {
        const string BiasSuffix = ".bias";
        bool isBias = name.EndsWith(BiasSuffix, StringComparison.Ordinal) & modules.TryGetValue(name[..^Math.Min(BiasSuffix.Length, name.Length)] + ".weight", out GptqModule? module);
        return isBias && module!.HasBias ? module.Prefix + BiasSuffix : name;
    }

    private long BytesOf(GptqModule module) => checked((long)module.Outputs * module.Inputs * WeightType.ElementBytes());

    private static string ModuleName(string prefix) => prefix.EndsWith(".linear", StringComparison.Ordinal) ? prefix[..^".linear".Length] : prefix;

    private bool IsZero(string name) => source.TryGet(name, out HostTensor tensor) && !Bytes(tensor).ContainsAnyExcept((byte)0);

    private nint Dequantized(string name, GptqModule module)
    {
        lock (making)
        {
            if (blocks.TryGetValue(name, out NativeBlock? block))
                return block.Address;
            block = new NativeBlock(BytesOf(module));
            try
            {
                Fill(module, block);
            }
            catch
            {
                block.Dispose();
                throw;
            }
            blocks.Add(name, block);
            return block.Address;
        }
    }

    private void Fill(GptqModule module, NativeBlock block)
    {
        if (module.IsAwq)
        {
            FillFromIntegers(module, block);
            return;
        }

        HostTensor weights = Get(module, "qweight"), zeros = Get(module, "qzeros"), scales = Get(module, "scales");
        int[] groupOfInput = GroupIndex(module);
        nint target = block.Address;
        Parallel.For(0, (module.Outputs + OutputsPerTask - 1) / OutputsPerTask, task =>
        {
            int first = task * OutputsPerTask;
            int count = Math.Min(OutputsPerTask, module.Outputs - first);
            long start = (long)first * module.Inputs;
            int elements = checked(count * module.Inputs);
            if (WeightType == DType.F32)
            {
                Dequantize(new Span<float>((float*)target + start, elements));
                return;
            }
            float[] exact = new float[elements];
            Dequantize(exact);
            RoundToHalf(exact, new Span<Half>((Half*)target + start, elements));

            void Dequantize(Span<float> result) => GptqLinear.Dequantize(
                MemoryMarshal.Cast<byte, int>(Bytes(weights)), MemoryMarshal.Cast<byte, int>(Bytes(zeros)),
                MemoryMarshal.Cast<byte, Half>(Bytes(scales)), groupOfInput, module.Outputs, first, count, result, zeroOffset);
        });
    }

    private void FillFromIntegers(GptqModule module, NativeBlock block)
    {
        WeightFormat format = GptqIntegers.FormatOf(Words(Get(module, "qzeros")), GroupIndex(module), module.GroupSize, 0)
            ?? throw new CheckpointException(module.File, $"tensor {CheckpointException.Show(module.Prefix + ".scales")}", "groups of whole words of 8 inputs", $"{module.GroupSize}");
        using GptqIntegers integers = Unpack(module, format);
        nint target = block.Address;
        Parallel.For(0, module.Outputs, row =>
        {
            long start = (long)row * module.Inputs;
            if (WeightType == DType.F32)
            {
                IntegerWidening.Widen(integers, format, row, new Span<float>((float*)target + start, module.Inputs));
                return;
            }

            float[] exact = new float[module.Inputs];
            IntegerWidening.Widen(integers, format, row, exact);
            RoundToHalf(exact, new Span<Half>((Half*)target + start, module.Inputs));
        });
    }

    private static void RoundToHalf(ReadOnlySpan<float> exact, Span<Half> rounded)
    {
        for (int i = 0; i < exact.Length; i++)
            rounded[i] = (Half)exact[i];
    }

    private int[] GroupIndex(GptqModule module)
    {
        int[] groupOfInput = new int[module.Inputs];
        if (!module.HasGroupIndex)
        {
            for (int i = 0; i < groupOfInput.Length; i++)
                groupOfInput[i] = i / module.GroupSize;
            return groupOfInput;
        }
        MemoryMarshal.Cast<byte, int>(Bytes(Get(module, "g_idx"))).CopyTo(groupOfInput);
        foreach (int group in groupOfInput)
            if (group < 0 || group >= module.Groups)
                throw new CheckpointException(module.File, $"tensor {CheckpointException.Show(module.Prefix + ".g_idx")}", $"groups 0 to {module.Groups - 1}", $"{group}");
        return groupOfInput;
    }

    private HostTensor Get(GptqModule module, string part) => source.TryGet($"{module.Prefix}.{part}", out HostTensor tensor)
        ? tensor
        : throw new InvalidOperationException($"{module.Prefix}.{part} was there when the file was read");

    private static ReadOnlySpan<int> Words(HostTensor tensor) => MemoryMarshal.Cast<byte, int>(Bytes(tensor));

    private static ReadOnlySpan<byte> Bytes(HostTensor tensor) => new((void*)tensor.Data, checked((int)tensor.Bytes));
}
