using System.Runtime.Intrinsics;
using XComposer2.Native.Cpu;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class SimdTests
{
    [Fact]
    public void Every_half_widens_exactly()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            ushort* stored = stackalloc ushort[16];
            float* widened = stackalloc float[16];
            for (int first = 0; first < 65536; first += TSimd.Count)
            {
                for (int i = 0; i < TSimd.Count; i++)
                    stored[i] = (ushort)(first + i);
                TSimd.Store(TSimd.LoadHalf(stored), widened);
                for (int i = 0; i < TSimd.Count; i++)
                {
                    float expected = (float)BitConverter.UInt16BitsToHalf(stored[i]);
                    if (float.IsNaN(expected) ? !float.IsNaN(widened[i]) : BitConverter.SingleToInt32Bits(expected) != BitConverter.SingleToInt32Bits(widened[i]))
                        Assert.Fail($"half {stored[i]:x4} widened to {widened[i]:g9}, expected {expected:g9}");
                }

                TSimd.Store(TSimd.LoadBFloat16(stored), widened);
                for (int i = 0; i < TSimd.Count; i++)
                    Assert.Equal((uint)stored[i] << 16, BitConverter.SingleToUInt32Bits(widened[i]));
            }
        }
    }

    [Fact]
    public void Every_int8_widens_exactly()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            sbyte* stored = stackalloc sbyte[16];
            sbyte* words = stackalloc sbyte[64];
            float* widened = stackalloc float[16];
            for (int first = -128; first < 128; first++)
            {
                for (int i = 0; i < 64; i++)
                    words[i] = unchecked((sbyte)(first + (i * 37)));
                for (int i = 0; i < 16; i++)
                    stored[i] = words[i];
                TSimd.Store(TSimd.LoadInt8(stored), widened);
                for (int i = 0; i < TSimd.Count; i++)
                    Assert.Equal((float)stored[i], widened[i]);
                for (int place = 0; place < 4; place++)
                {
                    TSimd.Store(TSimd.Int8OfWord(TSimd.Load((float*)words), place), widened);
                    for (int i = 0; i < TSimd.Count; i++)
                        Assert.Equal((float)words[(4 * i) + place], widened[i]);
                }
            }
        }
    }

    [Fact]
    public void BFloat16_store_rounds_to_nearest_even()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            float[] some = [0f, -0f, 1f, -1.00390625f, 1.01171875f, 3.4e38f, float.PositiveInfinity, float.NegativeInfinity, 1e-40f, 0.1f, -0.2f, 65504f, 1.0039064f, 7f, 8f, 9f];
            ushort[] expected = [0x0000, 0x8000, 0x3F80, 0xBF80, 0x3F82, 0x7F80, 0x7F80, 0xFF80, 0x0001, 0x3DCD, 0xBE4D, 0x4780, 0x3F81, 0x40E0, 0x4100, 0x4110];
            ushort* stored = stackalloc ushort[17];
            fixed (float* source = some)
            {
                for (int first = 0; first < some.Length; first += TSimd.Count)
                {
                    stored[TSimd.Count] = 0xABCD;
                    TSimd.StoreBFloat16(TSimd.Load(source + first), stored);
                    for (int i = 0; i < TSimd.Count; i++)
                        Assert.Equal(expected[first + i].ToString("x4"), stored[i].ToString("x4"));
                    Assert.Equal(0xABCD, stored[TSimd.Count]);
                }
            }

            TSimd.StoreBFloat16(TSimd.Broadcast(BitConverter.UInt32BitsToSingle(0x7FFFFFFF)), stored);
            Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)stored[0] << 16)));
        }
    }

    [Fact]
    public void Sums_and_maxima_cover_all_lanes()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            float* values = stackalloc float[16];
            for (int lane = 0; lane < TSimd.Count; lane++)
            {
                for (int i = 0; i < 16; i++)
                    values[i] = i == lane ? 3 : -1;
                Assert.Equal(3f, TSimd.MaxAcross(TSimd.Load(values)));
                Assert.Equal(3f - (TSimd.Count - 1), TSimd.Sum(TSimd.Load(values)));
            }
        }
    }

    [Fact]
    public void Powers_of_two_are_within_two_rounding_errors()
    {
        var widest = Sweep<Simd512, Vector512<float>>();
        Accuracy.Same(widest, Sweep<Simd256, Vector256<float>>());
        Accuracy.Same(widest, Sweep<Simd128, Vector128<float>>());

        static float[] Sweep<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            const int Count = 1 << 18;
            var results = new float[Count];
            var inputs = new float[Count];
            for (int i = 0; i < Count; i++)
                inputs[i] = (float)(-126 + (253.0 * i / Count));
            fixed (float* x = inputs)
            fixed (float* y = results)
                for (int i = 0; i < Count; i += TSimd.Count)
                    TSimd.Store(Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Load(x + i)), y + i);
            double worst = 0;
            for (int i = 0; i < Count; i++)
                worst = Math.Max(worst, Math.Abs((results[i] / Math.Pow(2, inputs[i])) - 1));
            Assert.InRange(worst, 1e-9, 2e-7);
            return results;
        }
    }

    [Fact]
    public void Powers_of_two_are_exact_at_zero_and_underflow_to_zero()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            static float Of(float x) => TSimd.First(Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Broadcast(x)));
            Assert.Equal(1f, Of(0f));
            Assert.Equal(0.5f, Of(-1f));
            Assert.Equal(1.17549435e-38f, Of(-126f));
            Assert.Equal(0f, Of(-126.001f));
            Assert.Equal(0f, Of(-1e30f));
            Assert.Equal(0f, Of(float.NegativeInfinity));
            Assert.True(float.IsNaN(Of(float.NaN)));
        }
    }
}
