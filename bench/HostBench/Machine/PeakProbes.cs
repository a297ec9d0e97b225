using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Cpu;

namespace XComposer2.Native.HostBench;

/// <summary>Peak rates of this machine, measured in the same process and at the same time as the compared kernels.</summary>
internal static unsafe class PeakProbes
{
    /// <summary>Floating-point operations per <see cref="MultiplyAdds"/> call and thread.</summary>
    public static double MultiplyAddFlops => 2.0 * 24 * Width * Iterations;

    private const int Iterations = 1 << 21;

    private static int Width => Vector512.IsHardwareAccelerated ? 16 : 8;

    /// <summary>Fused multiply-adds in registers on every thread.</summary>
    public static void MultiplyAdds(WorkerPool pool)
    {
        var work = new Peak();
        pool.Run(pool.Threads, ref work);
    }

    /// <summary>Reads memory once, with all threads.</summary>
    public static void Read(nint data, long bytes, WorkerPool pool)
    {
        var work = new Reading((byte*)data, bytes);
        pool.Run((int)((bytes + Reading.TaskBytes - 1) / Reading.TaskBytes), ref work);
    }

    private readonly struct Peak : IWork
    {
        public void Run(int task, int worker)
        {
            float sum = Vector512.IsHardwareAccelerated ? Chains<Simd512, Vector512<float>>(1e-9f) : Chains<Simd256, Vector256<float>>(1e-9f);
            if (sum == 1.5f)
                Console.Write(' ');
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Chains<TSimd, TVector>(float small)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            TVector x = TSimd.Broadcast(small), y = TSimd.Broadcast(small * 3);
            TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
            for (int n = 0; n < Iterations * 2; n++)
            {
                a = TSimd.MultiplyAdd(x, y, a);
                b = TSimd.MultiplyAdd(x, y, b);
                c = TSimd.MultiplyAdd(x, y, c);
                d = TSimd.MultiplyAdd(x, y, d);
                e = TSimd.MultiplyAdd(x, y, e);
                f = TSimd.MultiplyAdd(x, y, f);
                g = TSimd.MultiplyAdd(x, y, g);
                h = TSimd.MultiplyAdd(x, y, h);
                i = TSimd.MultiplyAdd(x, y, i);
                j = TSimd.MultiplyAdd(x, y, j);
                k = TSimd.MultiplyAdd(x, y, k);
                l = TSimd.MultiplyAdd(x, y, l);
            }

            TVector sum = TSimd.Add(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)), TSimd.Add(TSimd.Add(e, f), TSimd.Add(g, h)));
            return TSimd.Sum(TSimd.Add(sum, TSimd.Add(TSimd.Add(i, j), TSimd.Add(k, l))));
        }
    }

    private readonly struct Reading(byte* data, long bytes) : IWork
    {
        public const long TaskBytes = 256 * 1024;

        public void Run(int task, int worker)
        {
            float* start = (float*)(data + (task * TaskBytes));
            long count = Math.Min(TaskBytes, bytes - (task * TaskBytes)) / sizeof(float);
            float sum = Vector512.IsHardwareAccelerated ? Sum<Simd512, Vector512<float>>(start, (nint)count) : Sum<Simd256, Vector256<float>>(start, (nint)count);
            if (sum == 1.5e-30f)
                Console.Write(' ');
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Sum<TSimd, TVector>(float* data, nint count)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            TVector a = TSimd.Broadcast(0f), b = a, c = a, d = a;
            nint width = TSimd.Count;
            for (nint i = 0; i <= count - (4 * width); i += 4 * width)
            {
                a = TSimd.Add(a, TSimd.Load(data + i));
                b = TSimd.Add(b, TSimd.Load(data + i + width));
                c = TSimd.Add(c, TSimd.Load(data + i + (2 * width)));
                d = TSimd.Add(d, TSimd.Load(data + i + (3 * width)));
            }

            return TSimd.Sum(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)));
        }
    }
}
