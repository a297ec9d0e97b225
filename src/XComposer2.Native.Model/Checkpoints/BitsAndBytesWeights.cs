using System.Text.Json;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A checkpoint with linears of bitsandbytes, seen as one with plain weights. 4-bit numbers (nf4, fp4) are looked up in their map and multiplied with the magnitude of their block, when a weight is
/// first asked for, in the type that the file names, as bitsandbytes does it. 8-bit integers are served as they are: row by row, scale = SCB / 127. What lies beside a weight is checked
/// against the weight before anything is allocated.
/// </summary>
internal sealed unsafe class BitsAndBytesWeights : IWeightSource
{
    private const string StateMark = ".quant_state.bitsandbytes__", ScaleSuffix = ".SCB", WeightSuffix = ".weight";

    private const int MaximumStateBytes = 1 << 16, MaximumSize = 1 << 24, MapSize = 16, NestedMapSize = 256, ElementsPerTask = 1 << 16;

    private static readonly string[] besides = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"];

    private readonly TensorSet source;
    private readonly Dictionary<string, FourBitWeight> fourBits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HostTensor> eightBits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NativeBlock> blocks = new(StringComparer.Ordinal);
    private readonly Lock making = new();

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    /// <exception cref="CheckpointException">What lies beside a weight is missing, or does not go with it.</exception>
    public BitsAndBytesWeights(TensorSet source)
    {
        this.source = source;
        Dictionary<string, CheckpointTensor> stored = source.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        HashSet<string> parts = new(StringComparer.Ordinal);
        List<CheckpointTensor> found = [];
        foreach (CheckpointTensor tensor in source.Tensors)
        {
            int mark = tensor.Name.IndexOf(StateMark, StringComparison.Ordinal);
            if (mark >= 0)
                found.Add(AddFourBits(stored, tensor, tensor.Name[..mark], tensor.Name[(mark + StateMark.Length)..], parts));
            else if (tensor.Name.EndsWith(ScaleSuffix, StringComparison.Ordinal))
                found.Add(AddEightBits(stored, tensor, tensor.Name[..^ScaleSuffix.Length] + WeightSuffix, parts));
        }

        Tensors = [.. found, .. source.Tensors.Where(tensor => !parts.Contains(tensor.Name))];
    }

    /// <summary>Plain names; a 4-bit weight has the bytes of all its parts in the file.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>For example "nf4".</summary>
    public string Kind => string.Join(" and ", fourBits.Values.Select(weight => weight.Kind).Concat(eightBits.Count > 0 ? ["int8"] : []).Distinct().Order(StringComparer.Ordinal));

    /// <summary>The type that 4-bit weights become, and their bytes then; null where there are none.</summary>
    public (DType Type, long Bytes)? Converted => fourBits.Count == 0 ? null : (fourBits.Values.First().Type, fourBits.Values.Sum(weight => weight.Bytes));

    /// <summary>Whether tensors are those of bitsandbytes.</summary>
    public static bool IsIn(IEnumerable<CheckpointTensor> tensors) =>
        tensors.Any(tensor => tensor.Name.Contains(StateMark, StringComparison.Ordinal) || tensor.Name.EndsWith(ScaleSuffix, StringComparison.Ordinal));

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (fourBits.TryGetValue(name, out FourBitWeight? weight))
        {
            tensor = new HostTensor(Made(name, weight.Bytes, block => Dequantize(weight, block)), weight.Type, weight.Shape);
            return true;
        }

        if (ScalesOf(name) is not { } rows)
            return source.TryGet(name, out tensor);
        tensor = new HostTensor(Made(name, rows.Shape[0] * sizeof(float), block => Divide(rows, block)), DType.F32, new Shape(rows.Shape[0]));
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (fourBits.TryGetValue(name, out FourBitWeight? weight))
        {
            facts = new HostTensor(0, weight.Type, weight.Shape);
            return true;
        }

        if (ScalesOf(name) is not { } rows)
            return source.TryDescribe(name, out facts);
        facts = new HostTensor(0, DType.F32, new Shape(rows.Shape[0]));
        return true;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        bool isInteger = eightBits.ContainsKey(name);
        bool isFloat = !isInteger && TryDescribe(name, out HostTensor facts) && facts.Type.IsFloat();
        format = isInteger ? WeightFormat.Int8 : isFloat && TryDescribe(name, out facts) ? WeightFormat.Of(facts.Type) : default;
        return isInteger || isFloat;
    }

    public long AllocatedBytes(string name) => fourBits.TryGetValue(name, out FourBitWeight? weight) ? weight.Bytes : ScalesOf(name) is { } rows ? rows.Shape[0] * sizeof(float) : source.AllocatedBytes(name);

    public long HeldBytes
    {
        get
        {
            lock (making)
                return blocks.Values.Sum(block => block.LengthBytes) + source.HeldBytes;
        }
    }

    public void RequireIntact() => source.RequireIntact();

    public void Release(string name)
    {
        lock (making)
        {
            if (blocks.Remove(name, out NativeBlock? block))
                block.Dispose();
        }

        source.Release(name);
    }

    /// <summary>The stored numbers that decide whether a tensor is finite: the magnitudes of blocks, or of rows; otherwise the tensor itself.</summary>
    public bool TryGetStoredNumbers(string name, out HostTensor tensor)
    {
        if (fourBits.TryGetValue(name, out FourBitWeight? weight))
            return source.TryGet(weight.Magnitudes, out tensor);
        return eightBits.TryGetValue(name, out tensor) || source.TryGet(name, out tensor);
    }

    public void Dispose()
    {
        lock (making)
        {
            foreach (NativeBlock block in blocks.Values)
                block.Dispose();
            blocks.Clear();
        }

        source.Dispose();
    }

    private CheckpointTensor AddFourBits(Dictionary<string, CheckpointTensor> stored, CheckpointTensor state, string name, string kind, HashSet<string> parts)
    {
        if (kind is not ("nf4" or "fp4"))
            throw Bad(state, "nf4 or fp4 of bitsandbytes", CheckpointException.Show(kind));
        if (state.Type != DType.U8 || state.Bytes > MaximumStateBytes || !source.TryGet(state.Name, out HostTensor bytes))
            throw Bad(state, $"U8 of at most {MaximumStateBytes} bytes", $"{state.TypeName} {state.Shape}");
        using JsonDocument document = ConfigSection.ParseDocument(state.File, new ReadOnlySpan<byte>((void*)bytes.Data, (int)bytes.Bytes));
        ConfigSection section = new(state.File, $"{state.Name}: ", document.RootElement);
        int blockSize = section.Integer("blocksize", 1, MaximumSize) ?? throw section.Bad("blocksize", "elements of a block", "none");
        if (section.Integers("shape", 1, MaximumSize, 2) is not { Count: 2 } sizes)
            throw section.Bad("shape", "two sizes", "another number of them");
        DType type = section.Text("dtype") switch
        {
            "bfloat16" => DType.BF16,
            "float16" => DType.F16,
            "float32" => DType.F32,
            var other => throw section.Bad("dtype", "bfloat16, float16 or float32", CheckpointException.Show(other ?? "none")),
        };
        var shape = new Shape(sizes[0], sizes[1]);
        long elements = shape.ElementCount, count = ((elements - 1) / blockSize) + 1;
        if (elements % 2 != 0)
            throw section.Bad("shape", "an even number of elements", $"{shape}");
        CheckpointTensor packed = Require(stored, state, name, DType.U8, elements / 2), map = Require(stored, state, name + ".quant_map", DType.F32, MapSize);
        bool isNested = stored.ContainsKey(name + ".nested_absmax");
        CheckpointTensor magnitudes = Require(stored, state, name + ".absmax", isNested ? DType.U8 : DType.F32, count);
        long storedBytes = packed.Bytes + magnitudes.Bytes + map.Bytes + state.Bytes;
        int nestedSize = 0;
        float offset = 0;
        if (isNested)
        {
            nestedSize = section.Integer("nested_blocksize", 1, MaximumSize) ?? throw section.Bad("nested_blocksize", "blocks that share a magnitude", "none");
            offset = (float)(section.Number("nested_offset", -1e6, 1e6) ?? throw section.Bad("nested_offset", "a number", "none"));
            storedBytes += Require(stored, state, name + ".nested_absmax", DType.F32, ((count - 1) / nestedSize) + 1).Bytes + Require(stored, state, name + ".nested_quant_map", DType.F32, NestedMapSize).Bytes;
        }

        if (!fourBits.TryAdd(name, new FourBitWeight(name, kind, type, shape, blockSize, nestedSize, offset)))
            throw Bad(state, "one state for a weight", "a second");
        parts.Add(name);
        parts.Add(state.Name);
        parts.UnionWith(besides.Select(suffix => name + suffix));
        return new CheckpointTensor(name, kind.ToUpperInvariant(), type, shape, storedBytes, packed.File);
    }

    private CheckpointTensor AddEightBits(Dictionary<string, CheckpointTensor> stored, CheckpointTensor scales, string name, HashSet<string> parts)
    {
        if (!stored.TryGetValue(name, out CheckpointTensor? weight) || weight.Type != DType.I8 || weight.Shape.Rank != 2)
            throw Bad(scales, $"{CheckpointException.Show(name)} of I8 beside it", weight is null ? "no such tensor" : $"{weight.TypeName} {weight.Shape}");
        Require(stored, scales, scales.Name, DType.F32, weight.Shape[0]);
        if (!source.TryGet(scales.Name, out HostTensor values))
            throw Bad(scales, "scales of rows", "no such tensor");
        eightBits.Add(name, values);
        // Whatever order of columns the format word names: files have rows as they are.
        parts.UnionWith([name, scales.Name, name + "_format", name[..^WeightSuffix.Length] + ".weight_format"]);
        return new CheckpointTensor(name, "I8", DType.I8, weight.Shape, weight.Bytes + scales.Bytes, weight.File) { Format = WeightFormat.Int8 };
    }

    private static CheckpointTensor Require(Dictionary<string, CheckpointTensor> stored, CheckpointTensor state, string name, DType type, long elements)
    {
        if (!stored.TryGetValue(name, out CheckpointTensor? tensor))
            throw new CheckpointException(state.File, $"tensor {CheckpointException.Show(name)}", $"{elements} of {type} beside {CheckpointException.Show(state.Name)}", "no such tensor");
        return tensor.Type == type && tensor.Shape.ElementCount == elements
            ? tensor
            : throw Bad(tensor, $"{elements} of {type}, as {CheckpointException.Show(state.Name)} says", $"{tensor.TypeName} {tensor.Shape}");
    }

    private static CheckpointException Bad(CheckpointTensor tensor, string expected, string found) => new(tensor.File, $"tensor {CheckpointException.Show(tensor.Name)}", expected, found);

    /// <summary>The row magnitudes of the 8-bit weight whose scales have this name.</summary>
    private HostTensor? ScalesOf(string name)
    {
        (string weight, WeightPart part) = WeightFormat.Parse(name);
        return part == WeightPart.Scales && eightBits.TryGetValue(weight, out HostTensor rows) ? rows : null;
    }

    private nint Made(string name, long bytes, Action<nint> fill)
    {
        lock (making)
        {
            if (blocks.TryGetValue(name, out NativeBlock? block))
                return block.Address;
            block = new NativeBlock(bytes);
            try
            {
                fill(block.Address);
                blocks.Add(name, block);
                return block.Address;
            }
            catch
            {
                block.Dispose();
                throw;
            }
        }
    }

    private static void Divide(HostTensor rows, nint target)
    {
        for (int row = 0; row < rows.Shape.ElementCount; row++)
            ((float*)target)[row] = ((float*)rows.Data)[row] / 127;
    }

    // Elements lie one after another across rows, the first of two in the upper half of a byte.
    private void Dequantize(FourBitWeight weight, nint target)
    {
        HostTensor packed = Stored(weight.Name), magnitudes = Stored(weight.Name + ".absmax"), map = Stored(weight.Name + ".quant_map");
        (nint nested, nint nestedMap) = weight.NestedSize == 0 ? (0, 0) : (Stored(weight.Name + ".nested_absmax").Data, Stored(weight.Name + ".nested_quant_map").Data);
        long elements = weight.Shape.ElementCount;
        Parallel.For(0, ((elements - 1) / ElementsPerTask) + 1, task =>
        {
            float[] values = new float[Math.Min(ElementsPerTask, elements - (task * ElementsPerTask))];
            for (int i = 0; i < values.Length; i++)
            {
                long element = (task * ElementsPerTask) + i, block = element / weight.BlockSize;
                int both = ((byte*)packed.Data)[element / 2];
                float magnitude = nested == 0
                    ? ((float*)magnitudes.Data)[block]
                    : (((float*)nestedMap)[((byte*)magnitudes.Data)[block]] * ((float*)nested)[block / weight.NestedSize]) + weight.Offset;
                values[i] = ((float*)map.Data)[element % 2 == 0 ? both >> 4 : both & 0xF] * magnitude;
            }

            HostTensorValues.Store(values, weight.Type, target + (nint)weight.Type.Bytes(task * ElementsPerTask));
        });
    }

    private HostTensor Stored(string name) => source.TryGet(name, out HostTensor tensor) ? tensor : throw new InvalidOperationException($"{name} was there when the checkpoint was opened");

    /// <summary>A weight of 4 bits.</summary>
    private sealed record FourBitWeight(string Name, string Kind, DType Type, Shape Shape, int BlockSize, int NestedSize, float Offset)
    {
        public long Bytes => Type.Bytes(Shape.ElementCount);

        /// <summary>Name of the F32 magnitudes.</summary>
        public string Magnitudes => NestedSize == 0 ? Name + ".absmax" : Name + ".nested_absmax";
    }
}
