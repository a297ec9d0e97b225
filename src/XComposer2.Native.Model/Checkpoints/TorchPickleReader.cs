using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Reads the pickle of a state dictionary and executes nothing: it knows only the opcodes that torch.save writes and only the names
/// that rebuild tensors. Work is linear in the pickle's length, memory at most 64 times it
/// (a byte may push a small object); there is no recursion, and no value from the file is used as a hash key.
/// </summary>
internal ref struct TorchPickleReader
{
    private const int SpareMemoIndices = 512;

    private static readonly object Forgotten = new();
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> pickle;
    private readonly string file;
    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly List<object?> memo = [];
    private int position;
    private int opcodeOffset;

    public TorchPickleReader(ReadOnlySpan<byte> pickle, string file)
    {
        this.pickle = pickle;
        this.file = file;
    }

    /// <summary>The dictionary that the pickle holds.</summary>
    /// <exception cref="CheckpointException">Anything else, with the byte offset of the opcode.</exception>
    public PickledDictionary Read()
    {
        while (true)
        {
            opcodeOffset = position;
            byte opcode = Take(1)[0];
            if (opcode != '.')
                Execute(opcode);
            else if (stack.Count == 1 && marks.Count == 0)
                return stack[0] as PickledDictionary ?? throw Bad("a state dictionary", Describe(stack[0]));
            else
                throw Bad("a state dictionary alone on the stack", $"{stack.Count} values, {marks.Count} marks");
        }
    }

    /// <summary>What kind of value this is, for a message.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        string text => $"the text {CheckpointException.Show(text)}",
        long number => $"the number {number}",
        bool => "a truth value",
        object?[] => "a tuple",
        PickledDictionary => "a dictionary",
        PickledTensor => "a tensor",
        PickledStorage => "a storage",
        PickledGlobal global => $"the name {global.Kind}",
        _ => "another value",
    };

    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: Protocol(Take(1)[0]); break;
            case (byte)'}': stack.Add(new PickledDictionary()); break;
            case (byte)')' or (byte)']': stack.Add(Array.Empty<object?>()); break;
            case (byte)'N': stack.Add(null); break;
            case 0x88: stack.Add(true); break;
            case 0x89: stack.Add(false); break;
            case (byte)'K': stack.Add((long)Take(1)[0]); break;
            case (byte)'M': stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'J': stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 0x8a: stack.Add(LongInteger()); break;
            case (byte)'X': stack.Add(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case (byte)'q': Memorize(Take(1)[0]); break;
            case (byte)'r': Memorize(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case (byte)'h': stack.Add(Recall(Take(1)[0])); break;
            case (byte)'j': stack.Add(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case (byte)'(': marks.Add(stack.Count); break;
            case (byte)'t': Tuple(stack.Count - PopMark()); break;
            case 0x85: Tuple(1); break;
            case 0x86: Tuple(2); break;
            case 0x87: Tuple(3); break;
            case (byte)'c': stack.Add(Global()); break;
            case (byte)'Q': stack.Add(PersistentStorage(Pop())); break;
            case (byte)'R': Reduce(); break;
            case (byte)'s': SetItems(2); break;
            case (byte)'u': SetItems(stack.Count - PopMark()); break;
            case (byte)'b': Build(); break;
            default: throw Bad("an opcode that torch.save writes for weights", opcode is > 32 and < 127 ? $"opcode '{(char)opcode}' (0x{opcode:x2})" : $"opcode 0x{opcode:x2}");
        }
    }

    private readonly void Protocol(byte version)
    {
        if (opcodeOffset != 0 || version != 2)
            throw Bad("pickle protocol 2, once, at the start", $"protocol {version}");
    }

    private PickledGlobal Global()
    {
        string module = Line(), name = Line();
        StoredType? storage = module == "torch" ? StoredType.FromTorchStorage(name) : null;
        return (module, name) switch
        {
            ("torch._utils", "_rebuild_tensor_v2") => new PickledGlobal(PickledGlobalKind.RebuildTensor, default),
            ("torch._utils", "_rebuild_parameter") => new PickledGlobal(PickledGlobalKind.RebuildParameter, default),
            ("collections", "OrderedDict") => new PickledGlobal(PickledGlobalKind.OrderedDictionary, default),
            _ when storage is { } type => new PickledGlobal(PickledGlobalKind.Storage, type),
            _ => throw Bad("only names that rebuild tensors (nothing of a pickle is executed)", $"the name {CheckpointException.Show(module + "." + name)}"),
        };
    }

    private readonly PickledStorage PersistentStorage(object? id)
    {
        if (id is not object?[] { Length: 5 } parts || parts[0] is not "storage" || parts[1] is not PickledGlobal { Kind: PickledGlobalKind.Storage } global
            || parts[2] is not string key || parts[3] is not string || parts[4] is not long elements)
            throw Bad("the persistent id ('storage', type, key, location, elements)", Describe(id));
        if (elements < 0)
            throw Bad("a storage of 0 elements or more", $"{elements}");
        return new PickledStorage(global.Type, key, elements);
    }

    private void Reduce()
    {
        object? arguments = Pop();
        object? callee = Pop();
        if (callee is not PickledGlobal global || arguments is not object?[] parts)
            throw Bad("a call of a known name with a tuple", $"{Describe(callee)} with {Describe(arguments)}");
        stack.Add(global.Kind switch
        {
            PickledGlobalKind.RebuildTensor => RebuildTensor(parts),
            PickledGlobalKind.RebuildParameter when parts is [PickledTensor tensor, ..] => tensor,
            PickledGlobalKind.OrderedDictionary when parts.Length == 0 => new PickledDictionary(),
            _ => throw Bad($"arguments of {global.Kind}", $"{parts.Length} arguments"),
        });
    }

    private readonly PickledTensor RebuildTensor(object?[] parts)
    {
        if (parts is not [PickledStorage storage, long offset, object?[] shape, object?[] strides, ..] || shape.Length != strides.Length)
            throw Bad("a tensor as (storage, offset, shape, strides, ...)", $"{parts.Length} arguments of other kinds");
        TensorSizes sizes = default;
        foreach (object? size in shape)
            if (size is not long number || !sizes.TryAdd(number))
                throw Bad($"at most {TensorSizes.MaximumRank} sizes of 0 to {int.MaxValue}", $"{sizes.ToString()} and {Describe(size)}");
        if (!sizes.TryCountBytes(1, out long elements))
            throw Bad("a shape that fits its storage", sizes.ToString());
        StridedView? view = ViewOf(parts, sizes, elements);
        long span = view is null ? elements : view.SpanElements ?? throw Bad("strides that fit its storage", sizes.ToString());
        if (offset < 0 || offset > storage.Elements || span > storage.Elements - offset)
            throw Bad($"a view inside of the {storage.Elements} elements of its storage", $"offset {offset}, shape {sizes.ToString()}");
        return new PickledTensor(storage, offset, elements, sizes.ToShape(), view);
    }

    /// <summary>Null if the tensor is contiguous.</summary>
    private readonly StridedView? ViewOf(object?[] parts, TensorSizes sizes, long elements)
    {
        object?[] shape = (object?[])parts[2]!, strides = (object?[])parts[3]!;
        long dense = 1;
        bool isDense = true;
        for (int i = shape.Length - 1; i >= 0 && elements > 0; i--)
        {
            long size = (long)shape[i]!;
            // A stride of 0 repeats one element: a few bytes could describe a tensor of any size.
            if (strides[i] is not long stride || (size != 1 && stride < 1))
                throw Bad($"a stride of 1 or more for dimension {i} of {sizes.ToString()}", Describe(strides[i]));
            isDense &= size == 1 || stride == dense;
            dense *= size;
        }
        if (isDense)
            return null;
        return new StridedView([.. shape.Select(size => (long)size!)], [.. shape.Zip(strides, (size, stride) => (long)size! == 1 ? 0 : (long)stride!)]);
    }

    private void SetItems(int count)
    {
        if (count % 2 != 0 || count < 0 || stack.Count <= count || stack.Count - count <= Floor || stack[stack.Count - count - 1] is not PickledDictionary dictionary)
            throw Bad("a dictionary and pairs of key and value", $"{count} values after another thing");
        for (int i = stack.Count - count; i < stack.Count; i += 2)
            dictionary.Add(stack[i], stack[i + 1]);
        CollectionsMarshal.SetCount(stack, stack.Count - count);
    }

    /// <summary>OrderedDict's attributes (<c>_metadata</c>) carry versions of modules, which nothing here needs.</summary>
    private void Build()
    {
        object? attributes = Pop();
        if (attributes is not PickledDictionary || Peek() is not PickledDictionary)
            throw Bad("attributes of a dictionary", $"{Describe(attributes)} for {Describe(Peek())}");
    }

    private void Tuple(int count)
    {
        if (count < 0 || stack.Count - count < Floor)
            throw Bad($"{count} values for a tuple", "fewer");
        object?[] tuple = new object?[count];
        for (int i = 0; i < count; i++)
            tuple[i] = stack[stack.Count - count + i];
        CollectionsMarshal.SetCount(stack, stack.Count - count);
        stack.Add(tuple);
    }

    private long LongInteger()
    {
        int length = Take(1)[0];
        if (length > 8)
            throw Bad("an integer of at most 8 bytes", $"{length} bytes");
        ReadOnlySpan<byte> bytes = Take(length);
        long value = length > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (int i = length - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        return value;
    }

    private string Text(uint length)
    {
        if (length > int.MaxValue)
            throw Bad("a text inside of the pickle", $"{length} bytes");
        return Decode(Take((int)length));
    }

    private string Line()
    {
        int length = pickle[position..].IndexOf((byte)'\n');
        if (length < 0)
            throw Bad("a name that ends with its line", "the end of the pickle");
        string line = Decode(Take(length));
        position++;
        return line;
    }

    private readonly string Decode(ReadOnlySpan<byte> text)
    {
        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException error)
        {
            throw new CheckpointException(file, $"byte {opcodeOffset}", "text in UTF-8", "other bytes", error);
        }
    }

    /// <summary>Picklers number memo entries consecutively, so indices are below the length of the pickle, or slightly above it if some were removed.</summary>
    private readonly void Memorize(uint index)
    {
        object? value = Peek();
        if (index >= pickle.Length + SpareMemoIndices)
            throw Bad($"a memo index below {pickle.Length + SpareMemoIndices}, by the length of the pickle", $"{index}");
        memo.EnsureCapacity((int)index + 1);
        while (memo.Count <= index)
            memo.Add(Forgotten);
        memo[(int)index] = value;
    }

    private readonly object? Recall(uint index) =>
        index < memo.Count && memo[(int)index] is var value && value != Forgotten ? value : throw Bad("a value put into the memo before", $"memo index {index}");

    /// <summary>Values under the last mark are not to be touched before that mark is used.</summary>
    private readonly int Floor => marks.Count == 0 ? 0 : marks[^1];

    private readonly object? Peek() => stack.Count > Floor ? stack[^1] : throw Bad("a value on the stack", "none");

    private object? Pop()
    {
        object? value = Peek();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private int PopMark()
    {
        if (marks.Count == 0)
            throw Bad("a mark on the stack", "none");
        int mark = marks[^1];
        marks.RemoveAt(marks.Count - 1);
        return mark;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > pickle.Length - position)
            throw Bad($"{count} more bytes", $"the end of the pickle at {pickle.Length}");
        ReadOnlySpan<byte> bytes = pickle.Slice(position, count);
        position += count;
        return bytes;
    }

    private readonly CheckpointException Bad(string expected, string found) => new(file, $"byte {opcodeOffset}", expected, found);
}

/// <summary>The few names that a pickle of weights may refer to. Nothing of theirs is executed: they select what this reader does.</summary>
internal sealed record PickledGlobal(PickledGlobalKind Kind, StoredType Type);

internal enum PickledGlobalKind : byte
{
    RebuildTensor,
    RebuildParameter,
    OrderedDictionary,
    Storage,
}

/// <summary>A dict or OrderedDict of a pickle, in the order of its items. Keys are not hashed: a pickle must not choose what is called.</summary>
internal sealed class PickledDictionary
{
    private List<(object? Key, object? Value)>? items;

    public IReadOnlyList<(object? Key, object? Value)> Items => items ?? (IReadOnlyList<(object? Key, object? Value)>)[];

    public void Add(object? key, object? value) => (items ??= []).Add((key, value));
}

/// <summary>A storage that a pickle refers to: zip entry <c>data/KEY</c>.</summary>
internal sealed record PickledStorage(StoredType Type, string Key, long Elements);

/// <summary>A view of a storage, checked to lie inside of it.</summary>
/// <param name="Storage">Storage of the elements.</param>
/// <param name="OffsetElements">Of the first one.</param>
/// <param name="Elements">How many.</param>
/// <param name="Shape">Their sizes.</param>
/// <param name="View">Layout; null if contiguous.</param>
internal sealed record PickledTensor(PickledStorage Storage, long OffsetElements, long Elements, Shape Shape, StridedView? View);
