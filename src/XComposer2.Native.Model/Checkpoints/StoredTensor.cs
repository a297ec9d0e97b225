using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>A tensor and where its bytes begin, already checked to lie inside of the file.</summary>
/// <param name="Facts">Name, type, shape and file.</param>
/// <param name="OffsetBytes">Offset of the first element.</param>
/// <param name="View">Layout of a non-contiguous tensor; null if contiguous.</param>
internal sealed record StoredTensor(CheckpointTensor Facts, long OffsetBytes, StridedView? View = null);

/// <summary>What a checkpoint says of one tensor.</summary>
/// <param name="Name">As stored (for a GPTQ linear: the plain name of the weight it stands for).</param>
/// <param name="TypeName">Element type as the file names it, for example BF16, F64 or GPTQ4.</param>
/// <param name="Type">The type that <see cref="IWeightSource.TryGet"/> serves; null where asking for the tensor fails.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Bytes">Bytes in the file.</param>
/// <param name="File">Path of the file it lies in.</param>
public sealed record CheckpointTensor(string Name, string TypeName, DType? Type, Shape Shape, long Bytes, string File);

/// <summary>An element type as a file names it. <see cref="Type"/> is null where the type is legal in the file but no graph uses it.</summary>
internal readonly record struct StoredType(string Name, DType? Type, int ElementBytes)
{
    public static StoredType? FromSafetensors(string name) => name switch
    {
        "F32" => new(name, DType.F32, 4),
        "F16" => new(name, DType.F16, 2),
        "BF16" => new(name, DType.BF16, 2),
        "I64" => new(name, DType.I64, 8),
        "I32" => new(name, DType.I32, 4),
        "I8" => new(name, DType.I8, 1),
        "U8" => new(name, DType.U8, 1),
        "F64" or "U64" or "C64" => new(name, null, 8),
        "U32" => new(name, null, 4),
        "I16" or "U16" => new(name, null, 2),
        "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => new(name, null, 1),
        _ => null,
    };

    /// <summary>By the class name of a torch storage.</summary>
    public static StoredType? FromTorchStorage(string name) => name switch
    {
        "FloatStorage" => new("F32", DType.F32, 4),
        "HalfStorage" => new("F16", DType.F16, 2),
        "BFloat16Storage" => new("BF16", DType.BF16, 2),
        "LongStorage" => new("I64", DType.I64, 8),
        "IntStorage" => new("I32", DType.I32, 4),
        "CharStorage" => new("I8", DType.I8, 1),
        "ByteStorage" => new("U8", DType.U8, 1),
        "DoubleStorage" => new("F64", null, 8),
        "ShortStorage" => new("I16", null, 2),
        "BoolStorage" => new("BOOL", null, 1),
        _ => null,
    };
}
