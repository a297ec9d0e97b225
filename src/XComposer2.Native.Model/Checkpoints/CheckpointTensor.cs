using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>What a checkpoint says of one tensor.</summary>
/// <param name="Name">As stored (for a GPTQ linear: the plain name of the weight it stands for).</param>
/// <param name="TypeName">Element type as the file names it, for example BF16, F64 or GPTQ4.</param>
/// <param name="Type">The type that <see cref="IWeightSource.TryGet"/> serves; null where asking for the tensor fails.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Bytes">Bytes in the file.</param>
/// <param name="File">Path of the file it lies in.</param>
public sealed record CheckpointTensor(string Name, string TypeName, DType? Type, Shape Shape, long Bytes, string File);
