using System.Runtime.Intrinsics;
using XComposer2.Native.Cpu;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Vector operations used by packing: pairs of 16-bit values in words, and four-by-four blocks.</summary>
public sealed unsafe class SimdWordsTests
{
    [Fact]
    public void Both_halves_of_a_word_widen_exactly()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            float* widened = stackalloc float[16];
            for (int value = 0; value < 65536; value++)
            {
                ushort lower = (ushort)value, upper = (ushort)(value * 40503);
                TVector words = TSimd.Broadcast(BitConverter.UInt32BitsToSingle(((uint)upper << 16) | lower));
                Check(TSimd.LowerBFloat16(words), BitConverter.UInt32BitsToSingle((uint)lower << 16));
                Check(TSimd.UpperBFloat16(words), BitConverter.UInt32BitsToSingle((uint)upper << 16));
                Check(TSimd.LowerHalf(words), (float)BitConverter.UInt16BitsToHalf(lower));
                Check(TSimd.UpperHalf(words), (float)BitConverter.UInt16BitsToHalf(upper));

                void Check(TVector actual, float expected)
                {
                    TSimd.Store(actual, widened);
                    for (int i = 0; i < TSimd.Count; i += TSimd.Count - 1)
                        if (float.IsNaN(expected) ? !float.IsNaN(widened[i]) : BitConverter.SingleToInt32Bits(expected) != BitConverter.SingleToInt32Bits(widened[i]))
                            Assert.Fail($"{upper:x4} {lower:x4} widened to {widened[i]:g9}, expected {expected:g9}");
                }
            }
        }
    }

    [Fact]
    public void Quads_are_read_by_row_and_interleaved()
    {
        All<Simd128, Vector128<float>>();
        All<Simd256, Vector256<float>>();
        All<Simd512, Vector512<float>>();

        static void All<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            const int Stride = 7;
            float* memory = stackalloc float[4 * Stride];
            for (int i = 0; i < 4 * Stride; i++)
                memory[i] = i;
            TVector quads = TSimd.LoadQuads((byte*)memory, Stride * sizeof(float));
            TVector negated = TSimd.Subtract(TSimd.Broadcast(0f), quads);
            float* loaded = stackalloc float[16];
            float* lower = stackalloc float[16];
            float* upper = stackalloc float[16];
            TSimd.Store(quads, loaded);
            TSimd.Store(TSimd.InterleaveLower(quads, negated), lower);
            TSimd.Store(TSimd.InterleaveUpper(quads, negated), upper);
            for (int i = 0; i < TSimd.Count; i++)
            {
                int quad = i / 4 * Stride, lane = i % 4;
                float sign = lane % 2 == 0 ? 1f : -1f;
                Assert.Equal(quad + lane, loaded[i]);
                Assert.Equal(sign * (quad + (lane / 2)), lower[i]);
                Assert.Equal(sign * (quad + 2 + (lane / 2)), upper[i]);
            }
        }
    }
}
