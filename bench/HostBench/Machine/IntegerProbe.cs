using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using XComposer2.Native.Cpu;

namespace XComposer2.Native.HostBench;

/// <summary>Peak rate of the integer products that linears of integers use on this machine: in registers, on every thread.</summary>
internal static class IntegerProbe
{
    private const int Iterations = 1 << 21;

    private const int Chains = 8;

    /// <summary>Operations, two for a product and its addition, per <see cref="Run"/> and thread; 0 where the machine has no such instructions.</summary>
    /// <param name="bits">Of the weights, 4 or 8.</param>
    public static double Operations(int bits) => 2.0 * Chains * Iterations * DotInstructionSets.Best switch
    {
        DotInstructions.Avx512 => bits == 4 ? 64 : 32,
        DotInstructions.AvxVnni => 32,
        DotInstructions.Avx2 => bits == 4 ? 32 : 16,
        _ => 0,
    };

    /// <param name="pool">Threads.</param>
    /// <param name="bits">Of the weights, 4 or 8.</param>
    public static void Run(WorkerPool pool, int bits)
    {
        var work = new Peak(bits);
        pool.Run(pool.Threads, ref work);
    }

    private readonly struct Peak(int bits) : IWork
    {
        public void Run(int task, int worker)
        {
            int sum = DotInstructionSets.Best switch
            {
                DotInstructions.Avx512 => bits == 4 ? Nibbles512() : Bytes512(),
                DotInstructions.AvxVnni => Vnni(),
                DotInstructions.Avx2 => bits == 4 ? Nibbles256() : Bytes256(),
                _ => 0,
            };
            if (sum == 12345)
                Console.Write(' ');
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe int Nibbles512()
        {
            Vector512<byte>* x = stackalloc Vector512<byte>[2 * Chains];
            new Span<byte>(x, 2 * Chains * Vector512<byte>.Count).Fill(1);
            Vector512<short> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
            for (int i = 0; i < Iterations; i++)
            {
                // From the first cache, so that no product is the same in the next turn for the compiler.
                Vector512<byte>* now = x + (i % Chains);
                a += Avx512BW.MultiplyAddAdjacent(now[0], x[0].AsSByte());
                b += Avx512BW.MultiplyAddAdjacent(now[1], x[1].AsSByte());
                c += Avx512BW.MultiplyAddAdjacent(now[2], x[2].AsSByte());
                d += Avx512BW.MultiplyAddAdjacent(now[3], x[3].AsSByte());
                e += Avx512BW.MultiplyAddAdjacent(now[4], x[4].AsSByte());
                f += Avx512BW.MultiplyAddAdjacent(now[5], x[5].AsSByte());
                g += Avx512BW.MultiplyAddAdjacent(now[6], x[6].AsSByte());
                h += Avx512BW.MultiplyAddAdjacent(now[7], x[7].AsSByte());
            }

            return Vector512.Sum(a + b + c + d + e + f + g + h);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe int Bytes512()
        {
            Vector512<short>* x = stackalloc Vector512<short>[2 * Chains];
            new Span<byte>(x, 2 * Chains * Vector512<byte>.Count).Fill(1);
            Vector512<int> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
            for (int i = 0; i < Iterations; i++)
            {
                // From the first cache, so that no product is the same in the next turn for the compiler.
                Vector512<short>* now = x + (i % Chains);
                a += Avx512BW.MultiplyAddAdjacent(now[0], x[0]);
                b += Avx512BW.MultiplyAddAdjacent(now[1], x[1]);
                c += Avx512BW.MultiplyAddAdjacent(now[2], x[2]);
                d += Avx512BW.MultiplyAddAdjacent(now[3], x[3]);
                e += Avx512BW.MultiplyAddAdjacent(now[4], x[4]);
                f += Avx512BW.MultiplyAddAdjacent(now[5], x[5]);
                g += Avx512BW.MultiplyAddAdjacent(now[6], x[6]);
                h += Avx512BW.MultiplyAddAdjacent(now[7], x[7]);
            }

            return Vector512.Sum(a + b + c + d + e + f + g + h);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe int Nibbles256()
        {
            Vector256<byte>* x = stackalloc Vector256<byte>[2 * Chains];
            new Span<byte>(x, 2 * Chains * Vector256<byte>.Count).Fill(1);
            Vector256<short> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
            for (int i = 0; i < Iterations; i++)
            {
                // From the first cache, so that no product is the same in the next turn for the compiler.
                Vector256<byte>* now = x + (i % Chains);
                a += Avx2.MultiplyAddAdjacent(now[0], x[0].AsSByte());
                b += Avx2.MultiplyAddAdjacent(now[1], x[1].AsSByte());
                c += Avx2.MultiplyAddAdjacent(now[2], x[2].AsSByte());
                d += Avx2.MultiplyAddAdjacent(now[3], x[3].AsSByte());
                e += Avx2.MultiplyAddAdjacent(now[4], x[4].AsSByte());
                f += Avx2.MultiplyAddAdjacent(now[5], x[5].AsSByte());
                g += Avx2.MultiplyAddAdjacent(now[6], x[6].AsSByte());
                h += Avx2.MultiplyAddAdjacent(now[7], x[7].AsSByte());
            }

            return Vector256.Sum(a + b + c + d + e + f + g + h);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe int Bytes256()
        {
            Vector256<short>* x = stackalloc Vector256<short>[2 * Chains];
            new Span<byte>(x, 2 * Chains * Vector256<byte>.Count).Fill(1);
            Vector256<int> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
            for (int i = 0; i < Iterations; i++)
            {
                // From the first cache, so that no product is the same in the next turn for the compiler.
                Vector256<short>* now = x + (i % Chains);
                a += Avx2.MultiplyAddAdjacent(now[0], x[0]);
                b += Avx2.MultiplyAddAdjacent(now[1], x[1]);
                c += Avx2.MultiplyAddAdjacent(now[2], x[2]);
                d += Avx2.MultiplyAddAdjacent(now[3], x[3]);
                e += Avx2.MultiplyAddAdjacent(now[4], x[4]);
                f += Avx2.MultiplyAddAdjacent(now[5], x[5]);
                g += Avx2.MultiplyAddAdjacent(now[6], x[6]);
                h += Avx2.MultiplyAddAdjacent(now[7], x[7]);
            }

            return Vector256.Sum(a + b + c + d + e + f + g + h);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe int Vnni()
        {
            Vector256<byte>* x = stackalloc Vector256<byte>[2 * Chains];
            new Span<byte>(x, 2 * Chains * Vector256<byte>.Count).Fill(1);
            Vector256<int> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
            for (int i = 0; i < Iterations; i++)
            {
                // From the first cache, so that no product is the same in the next turn for the compiler.
                Vector256<byte>* now = x + (i % Chains);
                a = AvxVnni.MultiplyWideningAndAdd(a, now[0], x[0].AsSByte());
                b = AvxVnni.MultiplyWideningAndAdd(b, now[1], x[1].AsSByte());
                c = AvxVnni.MultiplyWideningAndAdd(c, now[2], x[2].AsSByte());
                d = AvxVnni.MultiplyWideningAndAdd(d, now[3], x[3].AsSByte());
                e = AvxVnni.MultiplyWideningAndAdd(e, now[4], x[4].AsSByte());
                f = AvxVnni.MultiplyWideningAndAdd(f, now[5], x[5].AsSByte());
                g = AvxVnni.MultiplyWideningAndAdd(g, now[6], x[6].AsSByte());
                h = AvxVnni.MultiplyWideningAndAdd(h, now[7], x[7].AsSByte());
            }

            return Vector256.Sum(a + b + c + d + e + f + g + h);
        }
    }
}
