using FsCheck;
using FsCheck.Fluent;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class RoundTripTests
{
    private static readonly Gen<int[][]> Shapes = Gen.ListOf(Gen.ListOf(Gen.Choose(0, 7)).Where(sizes => sizes.Count <= TensorRankLimit)
        .Select(sizes => sizes.ToArray())).Select(shapes => shapes.ToArray());

    private const int TensorRankLimit = 8;

    [Fact]
    public void Whatever_is_written_is_read_back() => Prop.ForAll(Shapes.ToArbitrary(), shapes =>
    {
        Dictionary<string, TinyTensor> written = [];
        foreach (int[] sizes in shapes)
        {
            Shape shape = new(sizes);
            if (shape.ElementCount > 10_000)
                continue;
            string name = $"tensor.{written.Count}";
            written.Add(name, (written.Count % 3) switch
            {
                0 => TinyTensor.F32(shape, i => i - 0.5f),
                1 => TinyTensor.F16(shape, i => i),
                _ => TinyTensor.I32(shape, i => -i),
            });
        }
        byte[] safetensors = TinyCheckpoint.Safetensors(written), torch = TorchFixture.Archive(written);
        using TensorFile first = TensorFile.ReadSafetensors(FileBytes.FromArray(safetensors, safetensors.Length, "safetensors"));
        using TensorFile second = TensorFile.ReadTorch(FileBytes.FromArray(torch, torch.Length, "torch"));
        return Same(first, written) && Same(second, written);
    }).QuickCheckThrowOnFailure();

    private static unsafe bool Same(TensorFile file, Dictionary<string, TinyTensor> written)
    {
        if (!file.Tensors.Select(tensor => tensor.Name).SequenceEqual(written.Keys))
            return false;
        foreach ((string name, TinyTensor tensor) in written)
        {
            if (!file.TryGet(name, out HostTensor read) || read.Shape != tensor.Shape || read.Type.ToString() != tensor.TypeName
                || !new ReadOnlySpan<byte>((void*)read.Data, (int)read.Bytes).SequenceEqual(tensor.Data))
                return false;
        }
        return true;
    }
}
