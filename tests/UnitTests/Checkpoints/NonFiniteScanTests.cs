using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class NonFiniteScanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(443)]
    [InlineData((1 << 20) + 17)]
    public void Finds_the_first_one_in_every_type(int count)
    {
        ushort[] halves = new ushort[count];
        float[] singles = new float[count];
        Array.Fill(halves, (ushort)0x7BFF);
        Array.Fill(singles, float.MaxValue);
        foreach (int at in (int[])[0, count / 2, count - 1])
        {
            fixed (ushort* h = halves)
            fixed (float* s = singles)
            {
                HostTensor f16 = new((nint)h, DType.F16, new Shape(count)), bf16 = new((nint)h, DType.BF16, new Shape(count)), f32 = new((nint)s, DType.F32, new Shape(count));
                Assert.Equal(-1, Find(f16));
                Assert.Equal(-1, Find(bf16));
                Assert.Equal(-1, Find(f32));
                h[at] = 0xFC00;
                h[count - 1] = 0xFC00;
                s[at] = s[count - 1] = float.NaN;
                Assert.Equal(at, Find(f16));
                Assert.Equal(-1, Find(bf16));
                Assert.Equal(at, Find(f32));
                h[at] = h[count - 1] = 0x7FC0;
                Assert.Equal(at, Find(bf16));
                h[at] = h[count - 1] = 0x7BFF;
                s[at] = s[count - 1] = 0;
            }
        }
    }

    private static long Find(HostTensor tensor) => NonFiniteScan.Find(tensor, TestContext.Current.CancellationToken);
}
