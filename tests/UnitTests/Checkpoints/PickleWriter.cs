using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.UnitTests;

/// <summary>Writes pickle opcodes as torch.save does, for sound and for hostile archives.</summary>
internal sealed class PickleWriter
{
    private readonly List<byte> bytes = [];

    public byte[] ToArray() => [.. bytes];

    public PickleWriter Raw(params ReadOnlySpan<byte> opcodes)
    {
        bytes.AddRange(opcodes);
        return this;
    }

    public PickleWriter Op(char opcode) => Raw((byte)opcode);

    public PickleWriter Start() => Raw(0x80, 2).Op('}').Raw((byte)'q', 0).Op('(');

    public PickleWriter End() => Op('u').Op('.');

    public PickleWriter Global(string module, string name) => Op('c').Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleWriter Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Op('X').Raw(length).Raw(utf8);
    }

    public PickleWriter Integer(long value)
    {
        Span<byte> raw = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(raw, value);
        return value switch
        {
            >= 0 and < 256 => Op('K').Raw(raw[..1]),
            >= 0 and < 65536 => Op('M').Raw(raw[..2]),
            >= int.MinValue and <= int.MaxValue => Op('J').Raw(raw[..4]),
            _ => Raw(0x8a, 8).Raw(raw),
        };
    }

    public PickleWriter Integers(params ReadOnlySpan<int> values)
    {
        Op('(');
        foreach (int value in values)
            Integer(value);
        return Op('t');
    }

    /// <summary>An item of the state dictionary: name and _rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict()).</summary>
    public PickleWriter Tensor(string name, string storageClass, string key, long elements, long offset, int[] shape, int[] strides) =>
        Text(name).Global("torch._utils", "_rebuild_tensor_v2").Op('(')
            .Op('(').Text("storage").Global("torch", storageClass).Text(key).Text("cpu").Integer(elements).Op('t').Op('Q')
            .Integer(offset).Integers(shape).Integers(strides).Raw(0x89).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
}
