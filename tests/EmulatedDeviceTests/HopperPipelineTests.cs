using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>A matrix product by TMA and wgmma as prefill kernels do it: right under every schedule, and each mistake that hardware answers with wrong
/// numbers now and then is found.</summary>
public sealed class HopperPipelineTests(EmulatedDevice device)
{
    private const int Rows = 128, Columns = 128, Depth = 64, Threads = 384, StageBytes = 32768, Stages = 3, SharedBytes = (Stages * StageBytes) + 1024 + 32768;

    private static readonly string[] schedules = ["forward", "reverse", "shuffled"];

    /// <summary>As Kernels/planted_pipeline.cu has them.</summary>
    public enum Mistake
    {
        None = 0,
        OffsetsExchanged = 1,
        StageMisaligned = 2,
        AdvancedInBytes = 3,
        ExpectTooSmall = 4,
        ExpectTooLarge = 5,
        ParityNotFlipped = 6,
        NoProxyFence = 7,
        ReleasedTooEarly = 8,
        NoFullWait = 9,
        NoFinalWait = 10,
        NoInitFence = 11,
        NoWgmmaFence = 12,
        NoReadWait = 13,
        TooManyRegisters = 14,
        NoTryLoop = 15,
        ChangedWithoutFence = 16,
        StagingNotWaited = 17,
        LeadingCopied = 18,
    }

    [StructLayout(LayoutKind.Sequential, Size = 448)]
    private struct Arguments
    {
        public TensorMap A, B, Out;
        public uint Blocks;
    }

    /// <summary>One block of K, one less than the ring, as many, one more, and three times as many.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(9)]
    public void The_product_is_exact_under_every_schedule(int blocks)
    {
        foreach (string schedule in schedules)
            foreach (int pending in (int[])[0, 1])
            {
                (string faults, int wrong) = Run(Mistake.None, blocks, schedule, pending: pending);
                Assert.True(faults.Length == 0 && wrong == 0, $"{schedule}, {pending} pending: {wrong} elements are wrong; {faults}");
            }
    }

    /// <summary>Without it bytes are delivered and products made at the same times.</summary>
    [Fact]
    public void The_product_is_exact_without_the_watch()
    {
        Assert.NotNull(device.Context);
        device.Configure("watch", "0");
        try
        {
            // A definition of its own, because what is compiled now is not watched later either.
            Assert.Equal((string.Empty, 0), Run(Mistake.None, 4, "shuffled", pending: 1, definition: "-DUNWATCHED"));
        }
        finally
        {
            device.Configure("watch", "1");
        }
    }

    [Theory]
    [InlineData(Mistake.StageMisaligned, "bad_descriptor", "begins at a multiple of 1024: is the tile misaligned")]
    [InlineData(Mistake.AdvancedInBytes, "bad_descriptor", "was the address advanced in bytes")]
    [InlineData(Mistake.ExpectTooSmall, "bad_mbarrier", "a bulk copy of 8192 bytes, but of the 24576 that expect_tx announced for phase 0 only 0 are left")]
    [InlineData(Mistake.ExpectTooLarge, "deadlock", "0 of 1 arrivals are missing, and 8192 of 40960 announced bytes, of which copies that were given bring 0")]
    [InlineData(Mistake.ParityNotFlipped, "bad_mbarrier", "was the parity not flipped when the ring began anew")]
    [InlineData(Mistake.NoProxyFence, "async_proxy", "with no fence.proxy.async of that thread behind it")]
    [InlineData(Mistake.ReleasedTooEarly, "shared_memory_race", "which a wgmma")]
    [InlineData(Mistake.NoFullWait, "async_copy_not_waited|shared_memory_race|uninitialised_read", "a wgmma reads 16 bytes")]
    [InlineData(Mistake.NoFinalWait, "bad_wgmma", "reads an accumulator of a wgmma that has not been waited for")]
    [InlineData(Mistake.NoInitFence, "bad_mbarrier", "no fence.mbarrier_init")]
    [InlineData(Mistake.NoWgmmaFence, "bad_wgmma", "no wgmma.fence before it")]
    [InlineData(Mistake.NoReadWait, "async_copy_not_waited", "returns before cp.async.bulk.wait_group.read")]
    [InlineData(Mistake.TooManyRegisters, "deadlock", "setmaxnreg.inc of warp")]
    [InlineData(Mistake.ChangedWithoutFence, "bad_wgmma", "accumulators that the thread has changed")]
    [InlineData(Mistake.StagingNotWaited, "shared_memory_race", "wrote before the wait")]
    public void A_mistake_is_named(Mistake mistake, string kinds, string words)
    {
        foreach (string schedule in schedules)
        {
            (string faults, _) = Run(mistake, 9, schedule, pending: mistake == Mistake.NoFinalWait ? 1 : 0);
            Assert.True(
                kinds.Split('|').Any(kind => faults.StartsWith($"{kind}: kernel planted_pipeline", StringComparison.Ordinal))
                && faults.Contains(words, StringComparison.Ordinal),
                $"{mistake}, {schedule}: {faults}");
        }
    }

    /// <summary>They read what is there, from the wrong places: only the numbers show them.</summary>
    [Theory]
    [InlineData(Mistake.OffsetsExchanged)]
    [InlineData(Mistake.LeadingCopied)]
    public void A_mistake_shows_in_the_result(Mistake mistake)
    {
        foreach (string schedule in schedules)
        {
            (string faults, int wrong) = Run(mistake, 9, schedule);
            Assert.True(faults.Length > 0 || wrong > Rows * Columns / 4, $"{mistake}, {schedule}: {wrong} wrong elements");
        }
    }

    /// <summary>try_wait may say no on a time limit: the shuffled schedule does it.</summary>
    [Fact]
    public void A_wait_without_a_loop_is_found()
    {
        (string faults, int wrong) = Run(Mistake.NoTryLoop, 9, "shuffled");
        Assert.True(faults.Length > 0 || wrong > 0);
    }

    [Theory]
    [InlineData(64, TensorMapSwizzle.Bytes128)]
    [InlineData(128, TensorMapSwizzle.None)]
    public void A_box_that_is_not_the_tile_is_found(int boxRows, TensorMapSwizzle swizzle)
    {
        foreach (string schedule in schedules)
        {
            (string faults, int wrong) = Run(Mistake.None, 4, schedule, boxRows, swizzle);
            Assert.True(
                boxRows == Rows ? wrong > Rows * Columns / 4 : faults.StartsWith("deadlock: ", StringComparison.Ordinal),
                $"{schedule}: {wrong} wrong elements; {faults}");
        }
    }

    /// <summary>The faults, the first first, and how many elements of the result are not the product's.</summary>
    private (string Faults, int Wrong) Run(
        Mistake mistake, int blocks, string schedule, int boxRows = Rows, TensorMapSwizzle swizzle = TensorMapSwizzle.Bytes128, int pending = 0,
        string definition = "-DWATCHED")
    {
        // Leading dimensions are padded, and none is another's.
        int depth = blocks * Depth, aPitch = depth + 64, bPitch = Columns + 64, outPitch = Columns + 8;
        Random random = new(blocks);
        ushort[] a = Numbers(random, Rows * aPitch), b = Numbers(random, depth * bPitch), found = new ushort[Rows * outPitch];
        device.Become(90);
        device.Begin(schedule);
        try
        {
            CudaKernel kernel = device.GetKernel("planted_pipeline.cu", "planted_pipeline", $"-DMISTAKE={(int)mistake}", $"-DPENDING={pending}", definition);
            kernel.AllowDynamicShared(SharedBytes);
            using DeviceMemory aMemory = Upload(a), bMemory = Upload(b), outMemory = Upload(found);
            var arguments = new Arguments
            {
                A = Map(aMemory, [(ulong)depth, Rows], aPitch, [Depth, (uint)boxRows], swizzle),
                B = Map(bMemory, [Columns, (ulong)depth], bPitch, [64, Depth], TensorMapSwizzle.Bytes128),
                Out = Map(outMemory, [Columns, Rows], outPitch, [64, Rows], TensorMapSwizzle.Bytes128),
                Blocks = (uint)blocks,
            };
            try
            {
                kernel.Launch(device.Stream, new LaunchGeometry(1, Threads, SharedBytes), arguments);
                device.Stream.CopyToHost<ushort>(found, outMemory.Span);
            }
            catch (CudaException) when (device.Faults.Count > 0)
            {
                return (string.Join("; ", device.Faults.Select(fault => fault.Message)), -1);
            }

            return (string.Empty, CountWrong(a, aPitch, b, bPitch, found, outPitch, depth));
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }

    private static int CountWrong(ushort[] a, int aPitch, ushort[] b, int bPitch, ushort[] found, int outPitch, int depth)
    {
        int wrong = 0;
        for (int row = 0; row < Rows; row++)
            for (int column = 0; column < Columns; column++)
            {
                float sum = 0;
                for (int k = 0; k < depth; k++)
                    sum += Widen(a[(row * aPitch) + k]) * Widen(b[(k * bPitch) + column]);
                // Whole numbers up to 256 are exact.
                Assert.InRange(sum, -256, 256);
                if (Widen(found[(row * outPitch) + column]) != sum)
                    wrong++;
            }

        return wrong;
    }

    private static float Widen(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>-1, 0 and 1.</summary>
    private static ushort[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(3) switch { 0 => (ushort)0xBF80, 1 => (ushort)0, _ => (ushort)0x3F80 })];

    private DeviceMemory Upload(ushort[] values)
    {
        DeviceMemory memory = DeviceMemory.Allocate(device.Context, values.Length * sizeof(ushort));
        device.Stream.CopyToDevice<ushort>(memory.Span, values);
        return memory;
    }

    private TensorMap Map(DeviceMemory memory, ulong[] sizes, int pitch, uint[] box, TensorMapSwizzle swizzle) => TensorMap.Encode(
        device.Context,
        new TensorMapLayout
        {
            Start = memory.Span.Pointer, Type = TensorMapType.BFloat16, Sizes = sizes, StridesBytes = [(ulong)pitch * sizeof(ushort)], Box = box, Swizzle = swizzle,
        });
}
