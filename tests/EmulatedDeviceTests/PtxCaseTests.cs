using System.Runtime.InteropServices;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>The emulated device's instructions against an outside witness, lane by lane (golden/ptx, which says how it was made).</summary>
public sealed class PtxCaseTests(EmulatedDevice device)
{
    private const int Lanes = 32, SharedWords = 512;

    private static readonly string[] schedules = ["forward", "reverse", "shuffled"];

    /// <summary>INSTRUCTION of Kernels/ptx_case.cu, and the first generation that has it.</summary>
    private static readonly Dictionary<string, (int Number, int Since)> instructions = new(StringComparer.Ordinal)
    {
        ["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = (0, 80),
        ["mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"] = (1, 80),
        ["mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16"] = (2, 80),
        ["mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32"] = (3, 75),
        ["mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32"] = (4, 80),
        ["mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32"] = (5, 80),
        ["mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32"] = (6, 80),
        ["ldmatrix.sync.aligned.m8n8.x1.shared.b16"] = (10, 75),
        ["ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16"] = (11, 75),
        ["ldmatrix.sync.aligned.m8n8.x2.shared.b16"] = (12, 75),
        ["ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16"] = (13, 75),
        ["ldmatrix.sync.aligned.m8n8.x4.shared.b16"] = (14, 75),
        ["ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"] = (15, 75),
        ["stmatrix.sync.aligned.m8n8.x1.shared.b16"] = (20, 90),
        ["stmatrix.sync.aligned.m8n8.x1.trans.shared.b16"] = (21, 90),
        ["stmatrix.sync.aligned.m8n8.x2.shared.b16"] = (22, 90),
        ["stmatrix.sync.aligned.m8n8.x2.trans.shared.b16"] = (23, 90),
        ["stmatrix.sync.aligned.m8n8.x4.shared.b16"] = (24, 90),
        ["stmatrix.sync.aligned.m8n8.x4.trans.shared.b16"] = (25, 90),
        ["movmatrix.sync.aligned.m8n8.trans.b16"] = (30, 75),
        ["shfl.sync.bfly.b32"] = (40, 75),
        ["shfl.sync.down.b32"] = (41, 75),
        ["shfl.sync.up.b32"] = (42, 75),
        ["shfl.sync.idx.b32"] = (43, 75),
        ["prmt.b32"] = (50, 75),
        ["lop3.b32"] = (51, 75),
        ["dp4a.s32.s32"] = (52, 75),
        ["dp4a.u32.s32"] = (53, 75),
        ["dp4a.s32.u32"] = (54, 75),
        ["dp4a.u32.u32"] = (55, 75),
        ["cvt.rn.bf16x2.f32"] = (60, 80),
        ["cvt.rn.f16x2.f32"] = (61, 75),
        ["cvt.rni.sat.s8.f32"] = (62, 75),
        ["vote.sync.ballot.b32"] = (70, 75),
        ["redux.sync.add.s32"] = (71, 80),
        ["redux.sync.min.s32"] = (72, 80),
        ["redux.sync.max.s32"] = (73, 80),
        ["cp.async.cg.shared.global.L2::128B"] = (80, 80),
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Arguments(
        DevicePointer A, DevicePointer B, DevicePointer C, DevicePointer Address, DevicePointer Shared, DevicePointer D, DevicePointer SharedAfter);

    /// <summary>On each generation, what it has.</summary>
    [Theory]
    [InlineData(75)]
    [InlineData(80)]
    [InlineData(90)]
    public void Every_case_agrees_under_every_schedule(int architecture)
    {
        using JsonDocument cases = Read("cases.json");
        var agreed = new HashSet<string>(StringComparer.Ordinal);
        device.Become(architecture);
        try
        {
            foreach (string schedule in schedules)
            {
                device.Begin(schedule);
                foreach (JsonElement one in cases.RootElement.EnumerateArray())
                {
                    string instruction = InstructionOf(one);
                    if (!instructions.TryGetValue(instruction, out (int Number, int Since) known) || known.Since > architecture)
                        continue;
                    Check(one, instruction, known.Number);
                    agreed.Add(instruction);
                }
            }
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }

        IEnumerable<string> expected = instructions.Where(entry => entry.Value.Since <= architecture).Select(entry => entry.Key);
        Assert.Equal(expected.Order(StringComparer.Ordinal), agreed.Order(StringComparer.Ordinal));
    }

    /// <summary>1 + 3/4 of a unit in the last place, both signs: nearest goes up, a tensor core that truncates toward zero. On sm_80 eight products are added
    /// at once; the other eight find the rounded sum.</summary>
    [Theory]
    [InlineData("nearest", 0x3F800001u, 0xBF800001u)]
    [InlineData("truncated", 0x3F800000u, 0xBF800000u)]
    public void Tensor_cores_truncate_where_they_are_told_to(string sums, uint positive, uint negative)
    {
        const uint One = 0x3F800000, ThreeTimesTwoToMinus14 = 0x3940, TwoToMinus11 = 0x3A00, Sign = 0x8000;
        device.Begin();
        device.Configure("sums", sums);
        try
        {
            // Row g of A is 3 * 2^-14 (or its negative) in column 0; column g of B is 2^-11 in row 0: products of 3 * 2^-25, 3/4 of 2^-23.
            uint[] a = new uint[Lanes * 4], b = new uint[Lanes * 2], c = new uint[Lanes * 4];
            for (int lane = 0; lane < Lanes; lane += 4)
            {
                a[lane * 4] = ThreeTimesTwoToMinus14;
                a[(lane * 4) + 1] = ThreeTimesTwoToMinus14 | Sign;
                b[lane * 2] = TwoToMinus11;
            }

            for (int lane = 0; lane < Lanes; lane++)
                for (int i = 0; i < 4; i++)
                    c[(lane * 4) + i] = i < 2 ? One : One | (Sign << 16);
            (uint[] d, _) = Run(0, 0, a, b, c, new uint[Lanes], new uint[SharedWords]);
            Assert.All(Enumerable.Range(0, Lanes * 4), i => Assert.Equal(i % 4 < 2 ? positive : negative, d[i]));
        }
        finally
        {
            device.Configure("sums", "nearest");
        }
    }

    [Theory]
    [InlineData(75)]
    [InlineData(80)]
    public void What_a_generation_has_not_does_not_compile_for_it(int architecture)
    {
        device.Become(architecture);
        try
        {
            Assert.All(
                instructions.Values.Where(instruction => instruction.Since > architecture),
                instruction => Assert.Throws<NvrtcException>(
                    () => { device.Compile("ptx_case.cu", $"-DINSTRUCTION={instruction.Number}", "-DTABLE=0"); }));
        }
        finally
        {
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }

    [Fact]
    public void Nothing_of_the_witness_is_left_out()
    {
        using JsonDocument cases = Read("cases.json");
        Assert.All(cases.RootElement.EnumerateArray(), one => Assert.True(IsKnown(one), $"{InstructionOf(one)} has a case and no kernel"));
        string whole = RepositoryPaths.Find("../shared/golden/ptx/cases.json");
        if (!File.Exists(whole))
            Assert.Skip("tests/golden/ptx/cases.json was not compared with the whole witness, which is not beside this checkout");
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(RepositoryPaths.Find("tests/golden/ptx/cases.json")));
    }

    private static string InstructionOf(JsonElement one) => one.GetProperty("instruction").GetString()!;

    private static bool IsKnown(JsonElement one) => instructions.ContainsKey(InstructionOf(one)) || HopperCaseTests.Covers(InstructionOf(one));

    private static JsonDocument Read(string file) => JsonDocument.Parse(File.ReadAllBytes(RepositoryPaths.Find($"tests/golden/ptx/{file}")));

    private void Check(JsonElement one, string instruction, int number)
    {
        var a = new uint[Lanes * 4];
        var b = new uint[Lanes * 2];
        var c = new uint[Lanes * 4];
        var address = new uint[Lanes];
        var shared = new uint[SharedWords];
        bool isCopy = number == 80;
        if (isCopy)
        {
            Pack(one.GetProperty("source"), 8, a);
            Array.Fill(b, one.GetProperty("source_size").GetUInt32());
        }
        else
        {
            if (one.TryGetProperty("a", out JsonElement registers))
                Fill(registers, a, 4);
            if (one.TryGetProperty("b", out registers))
                Fill(registers, b, 2);
            if (one.TryGetProperty("width", out JsonElement width))
                for (int lane = 0; lane < Lanes; lane++)
                    b[(lane * 2) + 1] = width.GetUInt32();
            if (one.TryGetProperty("c", out registers))
                Fill(registers, c, 4);
            if (one.TryGetProperty("address_bytes", out registers))
                Fill(registers, address, 1);
            if (one.TryGetProperty("shared_u16", out registers))
                Pack(registers, 16, shared);
        }

        (uint[] d, uint[] sharedAfter) = Run(number, one.TryGetProperty("lut", out JsonElement table) ? table.GetUInt32() : 0, a, b, c, address, shared);
        if (isCopy)
            Assert.Equal(Packed(one.GetProperty("destination"), 8, 4), sharedAfter[..4]);
        else if (one.TryGetProperty("shared_u16_after", out JsonElement after))
            foreach (JsonProperty half in after.EnumerateObject())
                Assert.True(half.Value.GetUInt32() == HalfOf(sharedAfter, int.Parse(half.Name, System.Globalization.CultureInfo.InvariantCulture)), $"{instruction}: half {half.Name}");
        else
            CheckRegisters(one.GetProperty("d"), d, instruction);
    }

    private static void CheckRegisters(JsonElement expected, uint[] found, string instruction)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            JsonElement value = expected.ValueKind == JsonValueKind.Array ? expected[lane] : expected;
            int count = value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : 1;
            for (int i = 0; i < count; i++)
            {
                uint wanted = Word(value.ValueKind == JsonValueKind.Array ? value[i] : value);
                Assert.True(wanted == found[(lane * 4) + i], $"{instruction}: lane {lane}, register {i}: expected {wanted}, found {found[(lane * 4) + i]}");
            }
        }
    }

    private (uint[] D, uint[] SharedAfter) Run(int number, uint table, uint[] a, uint[] b, uint[] c, uint[] address, uint[] shared)
    {
        CudaKernel kernel = device.GetKernel("ptx_case.cu", "ptx_case", $"-DINSTRUCTION={number}", $"-DTABLE={table}");
        using DeviceMemory memory = DeviceMemory.Allocate(device.Context, 16384);
        long offset = 0;
        DeviceSpan Place(uint[] values)
        {
            DeviceSpan span = memory.Span.Slice(offset, values.Length * sizeof(uint));
            device.Stream.CopyToDevice<uint>(span, values);
            offset += (span.LengthBytes + 255) / 256 * 256;
            return span;
        }

        var d = new uint[Lanes * 4];
        var after = new uint[SharedWords];
        DeviceSpan dSpan = Place(d), afterSpan = Place(after);
        var arguments = new Arguments(
            Place(a).Pointer, Place(b).Pointer, Place(c).Pointer, Place(address).Pointer, Place(shared).Pointer, dSpan.Pointer, afterSpan.Pointer);
        kernel.Launch(device.Stream, new LaunchGeometry(1, Lanes), arguments);
        device.Stream.CopyToHost<uint>(d, dSpan);
        device.Stream.CopyToHost<uint>(after, afterSpan);
        Assert.Empty(device.Faults);
        return (d, after);
    }

    /// <summary>Per lane: one register, or several; or one for all lanes.</summary>
    private static void Fill(JsonElement source, uint[] target, int stride)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            JsonElement value = source.ValueKind == JsonValueKind.Array ? source[lane] : source;
            if (value.ValueKind == JsonValueKind.Array)
                for (int i = 0; i < value.GetArrayLength(); i++)
                    target[(lane * stride) + i] = Word(value[i]);
            else
                target[lane * stride] = value.ValueKind is JsonValueKind.True ? 1 : value.ValueKind is JsonValueKind.False ? 0 : Word(value);
        }
    }

    /// <summary>Signed results are written as such.</summary>
    private static uint Word(JsonElement number) => unchecked((uint)number.GetInt64());

    private static void Pack(JsonElement elements, int bits, uint[] target) =>
        Packed(elements, bits, Math.Min(target.Length, elements.GetArrayLength() * bits / 32)).CopyTo(target, 0);

    private static uint[] Packed(JsonElement elements, int bits, int words)
    {
        var packed = new uint[words];
        int perWord = 32 / bits;
        for (int i = 0; i < words * perWord; i++)
            packed[i / perWord] |= elements[i].GetUInt32() << (bits * (i % perWord));
        return packed;
    }

    private static uint HalfOf(uint[] words, int half) => (words[half / 2] >> (16 * (half % 2))) & 0xFFFF;
}
