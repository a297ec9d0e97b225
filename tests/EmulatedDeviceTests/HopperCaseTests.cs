using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>wgmma and TMA against the outside witness of golden/ptx, thread by thread and byte by byte.</summary>
public sealed class HopperCaseTests(EmulatedDevice device)
{
    private const int Threads = 128, Steps = 4;

    private const string Narrow = "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16", Wide = "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16",
        Box = "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes";

    private static readonly string[] schedules = ["forward", "reverse", "shuffled"];

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct WgmmaArguments
    {
        public DevicePointer Shared, Registers, D;
        public fixed ulong A[Steps];
        public fixed ulong B[Steps];
        public uint Words;
    }

    [StructLayout(LayoutKind.Sequential, Size = 192)]
    private struct BoxArguments
    {
        public TensorMap Map;
        public DevicePointer Result;
        public int X, Y, Z;
        public uint Bytes;
    }

    /// <summary>Whether an instruction's cases are run here.</summary>
    public static bool Covers(string instruction) => instruction is Narrow or Wide or Box;

    [Theory]
    [InlineData(Narrow, 1)]
    [InlineData(Wide, 2)]
    [InlineData(Box, 4)]
    public void Every_case_agrees_under_every_schedule(string instruction, int count)
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(RepositoryPaths.Find("tests/golden/ptx/cases.json")));
        JsonElement[] mine = [.. cases.RootElement.EnumerateArray().Where(one => one.GetProperty("instruction").GetString() == instruction)];
        Assert.Equal(count, mine.Length);
        device.Become(90);
        try
        {
            foreach (string schedule in schedules)
                foreach (string sums in (string[])["nearest", "truncated"])
                    foreach (JsonElement one in mine)
                    {
                        device.Begin(schedule);
                        device.Configure("sums", sums);
                        if (instruction == Box)
                            CheckBox(one);
                        else
                            CheckWgmma(one, instruction);
                        Assert.Empty(device.Faults);
                    }
        }
        finally
        {
            device.Configure("sums", "nearest");
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }

    /// <summary>Weights whose gate and up rows take turns of eight, read as the gate rows of some turns: dimensions of K, eight rows, and turns of sixteen
    /// rows. The last turns are outside of the tensor.</summary>
    [Fact]
    public void A_box_of_three_dimensions_takes_every_other_eight_rows()
    {
        const int Depth = 96, Turns = 5, BoxTurns = 4, FirstTurn = 2, FirstColumn = 32;
        device.Become(90);
        device.Begin();
        try
        {
            ushort[] tensor = [.. Enumerable.Range(1, Turns * 16 * Depth).Select(i => (ushort)i)], found = new ushort[BoxTurns * 8 * 64], expected = new ushort[found.Length];
            for (int row = 0; row < BoxTurns * 8; row++)
                for (int column = 0; column < 64; column++)
                {
                    int turn = FirstTurn + (row / 8), chunk = (column / 8) ^ (row % 8);
                    expected[(row * 64) + (chunk * 8) + (column % 8)] = turn < Turns ? tensor[(((turn * 16) + (row % 8)) * Depth) + FirstColumn + column] : (ushort)0;
                }

            CudaKernel kernel = device.GetKernel("tma_case.cu", "tma_case", "-DRANK=3");
            using DeviceMemory memory = Upload<ushort>(tensor), result = Upload<ushort>(found);
            TensorMap map = TensorMap.Encode(
                device.Context,
                new TensorMapLayout
                {
                    Start = memory.Span.Pointer, Type = TensorMapType.BFloat16, Sizes = [Depth, 8, Turns],
                    StridesBytes = [Depth * sizeof(ushort), 16 * Depth * sizeof(ushort)], Box = [64, 8, BoxTurns], Swizzle = TensorMapSwizzle.Bytes128,
                });
            var arguments = new BoxArguments { Map = map, Result = result.Span.Pointer, X = FirstColumn, Z = FirstTurn, Bytes = (uint)(found.Length * sizeof(ushort)) };
            kernel.Launch(device.Stream, new LaunchGeometry(1, 32, found.Length * sizeof(ushort)), arguments);
            device.Stream.CopyToHost<ushort>(found, result.Span);
            Assert.Equal(expected, found);
            Assert.Empty(device.Faults);
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }

    [Theory]
    [InlineData("wgmma_case.cu", "-DFORM=0")]
    [InlineData("tma_case.cu", "-DRANK=2")]
    [InlineData("bulk_copy.cu", "-DMISTAKE=0")]
    public void An_older_generation_has_none_of_it(string source, string definition)
    {
        device.Begin();
        Assert.Throws<NvrtcException>(() => { device.Compile(source, definition); });
    }

    /// <summary>Registers of A are read until the wait.</summary>
    [Fact]
    public void Overwriting_a_register_of_A_before_the_wait_is_found()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(RepositoryPaths.Find("tests/golden/ptx/cases.json")));
        JsonElement one = cases.RootElement.EnumerateArray().First(entry => entry.TryGetProperty("a_registers", out _));
        device.Become(90);
        try
        {
            foreach (string schedule in schedules)
            {
                device.Begin(schedule);
                Assert.Throws<CudaException>(() => CheckWgmma(one, Wide, isOverwritten: true));
                DeviceFault fault = Assert.Single(device.Faults);
                Assert.Equal("bad_wgmma", fault.Kind);
                Assert.Contains("writes a register of A of a wgmma that has not been waited for", fault.Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }

    private unsafe void CheckWgmma(JsonElement one, string instruction, bool isOverwritten = false)
    {
        bool hasRegisters = one.TryGetProperty("a_registers", out JsonElement rows);
        int perThread = one.GetProperty("d")[0].GetArrayLength();
        ushort[] image = [.. one.GetProperty("shared_u16").EnumerateArray().Select(half => half.GetUInt16())];
        uint[] registers = new uint[Threads * Steps * 4];
        for (int i = 0; hasRegisters && i < registers.Length; i++)
            registers[i] = rows[i / (Steps * 4)][i / 4 % Steps][i % 4].GetUInt32();
        int form = instruction == Narrow ? 0 : isOverwritten ? 3 : hasRegisters ? 2 : 1, imageBytes = image.Length * sizeof(ushort);
        CudaKernel kernel = device.GetKernel("wgmma_case.cu", "wgmma_case", $"-DFORM={form}");
        using DeviceMemory shared = Upload<ushort>(image), registerMemory = Upload<uint>(registers), d = Upload<uint>(new uint[Threads * perThread]);
        var arguments = new WgmmaArguments
        {
            Shared = shared.Span.Pointer, Registers = registerMemory.Span.Pointer, D = d.Span.Pointer, Words = (uint)(imageBytes / sizeof(uint)),
        };
        for (int step = 0; step < Steps; step++)
        {
            arguments.A[step] = hasRegisters ? 0 : Descriptor(one, "a_descriptors", step);
            arguments.B[step] = Descriptor(one, "b_descriptors", step);
        }

        kernel.Launch(device.Stream, new LaunchGeometry(1, Threads, imageBytes), arguments);
        uint[] found = new uint[Threads * perThread];
        device.Stream.CopyToHost<uint>(found, d.Span);
        for (int i = 0; i < found.Length; i++)
            Assert.True(
                one.GetProperty("d")[i / perThread][i % perThread].GetUInt32() == found[i], $"{instruction}, form {form}: thread {i / perThread}, register {i % perThread}");
    }

    private static ulong Descriptor(JsonElement one, string name, int step) => ulong.Parse(one.GetProperty(name)[step].GetString()!, CultureInfo.InvariantCulture);

    private void CheckBox(JsonElement one)
    {
        JsonElement rows = one.GetProperty("global_u16"), box = one.GetProperty("box"), at = one.GetProperty("coordinates");
        Assert.Equal("128B", one.GetProperty("swizzle").GetString());
        int width = rows[0].GetArrayLength(), height = rows.GetArrayLength();
        ushort[] tensor = [.. rows.EnumerateArray().SelectMany(row => row.EnumerateArray().Select(value => value.GetUInt16()))];
        ushort[] expected = [.. one.GetProperty("shared_u16").EnumerateArray().Select(value => value.GetUInt16())], found = new ushort[expected.Length];
        CudaKernel kernel = device.GetKernel("tma_case.cu", "tma_case", "-DRANK=2");
        using DeviceMemory memory = Upload<ushort>(tensor), result = Upload<ushort>(found);
        TensorMap map = TensorMap.Encode(
            device.Context,
            new TensorMapLayout
            {
                Start = memory.Span.Pointer, Type = TensorMapType.UInt16, Sizes = [(ulong)width, (ulong)height], StridesBytes = [(ulong)width * sizeof(ushort)],
                Box = [box[0].GetUInt32(), box[1].GetUInt32()], Swizzle = TensorMapSwizzle.Bytes128,
            });
        var arguments = new BoxArguments
        {
            Map = map, Result = result.Span.Pointer, X = at[0].GetInt32(), Y = at[1].GetInt32(), Bytes = one.GetProperty("transaction_bytes").GetUInt32(),
        };
        kernel.Launch(device.Stream, new LaunchGeometry(1, 32, expected.Length * sizeof(ushort)), arguments);
        device.Stream.CopyToHost<ushort>(found, result.Span);
        Assert.Equal(expected, found);
    }

    private DeviceMemory Upload<T>(T[] values)
        where T : unmanaged
    {
        DeviceMemory memory = DeviceMemory.Allocate(device.Context, values.Length * Marshal.SizeOf<T>());
        device.Stream.CopyToDevice<T>(memory.Span, values);
        return memory;
    }
}
