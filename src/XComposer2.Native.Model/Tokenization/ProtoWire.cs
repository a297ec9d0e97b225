namespace XComposer2.Native.Model;

/// <summary>How a protobuf field is stored. Groups (3, 4) are of an older format.</summary>
internal enum ProtoWire
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}
