using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

internal sealed record TinyTensor(string TypeName, Shape Shape, byte[] Data)
{
    public static TinyTensor F32(Shape shape, Func<int, float> value) =>
        new("F32", shape, MemoryMarshal.AsBytes([.. Enumerable.Range(0, (int)shape.ElementCount).Select(value)]).ToArray());

    public static TinyTensor F16(Shape shape, Func<int, float> value) =>
        new("F16", shape, MemoryMarshal.AsBytes([.. Enumerable.Range(0, (int)shape.ElementCount).Select(i => (Half)value(i))]).ToArray());

    public static TinyTensor I32(Shape shape, Func<int, int> value) =>
        new("I32", shape, MemoryMarshal.AsBytes([.. Enumerable.Range(0, (int)shape.ElementCount).Select(value)]).ToArray());
}
