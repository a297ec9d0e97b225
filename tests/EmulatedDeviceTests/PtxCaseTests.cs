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

    private static readonly Dictionary<string, int> instructions = new(StringComparer.Ordinal)
    {
        ["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = 0,
        ["mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"] = 1,
        ["mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16"] = 2,
        ["mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32"] = 3,
        ["mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32"] = 4,
        ["mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32"] = 5,
        ["mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32"] = 6,
        ["ldmatrix.sync.aligned.m8n8.x1.shared.b16"] = 10,
        ["ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16"] = 11,
        ["ldmatrix.sync.aligned.m8n8.x2.shared.b16"] = 12,
        ["ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16"] = 13,
        ["ldmatrix.sync.aligned.m8n8.x4.shared.b16"] = 14,
        ["ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"] = 15,
        ["stmatrix.sync.aligned.m8n8.x1.shared.b16"] = 20,
        ["stmatrix.sync.aligned.m8n8.x1.trans.shared.b16"] = 21,
        ["stmatrix.sync.aligned.m8n8.x2.shared.b16"] = 22,
        ["stmatrix.sync.aligned.m8n8.x2.trans.shared.b16"] = 23,
        ["stmatrix.sync.aligned.m8n8.x4.shared.b16"] = 24,
        ["stmatrix.sync.aligned.m8n8.x4.trans.shared.b16"] = 25,
        ["movmatrix.sync.aligned.m8n8.trans.b16"] = 30,
        ["shfl.sync.bfly.b32"] = 40,
        ["shfl.sync.down.b32"] = 41,
        ["shfl.sync.up.b32"] = 42,
        ["shfl.sync.idx.b32"] = 43,
        ["prmt.b32"] = 50,
        ["lop3.b32"] = 51,
        ["dp4a.s32.s32"] = 52,
        ["dp4a.u32.s32"] = 53,
        ["dp4a.s32.u32"] = 54,
        ["dp4a.u32.u32"] = 55,
        ["cvt.rn.bf16x2.f32"] = 60,
        ["cvt.rn.f16x2.f32"] = 61,
        ["cvt.rni.sat.s8.f32"] = 62,
        ["vote.sync.ballot.b32"] = 70,
        ["redux.sync.add.s32"] = 71,
        ["redux.sync.min.s32"] = 72,
        ["redux.sync.max.s32"] = 73,
        ["cp.async.cg.shared.global.L2::128B"] = 80,
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Arguments(
        DevicePointer A, DevicePointer B, DevicePointer C, DevicePointer Address, DevicePointer Shared, DevicePointer D, DevicePointer SharedAfter);

    [Fact]
    public void Every_case_of_what_is_emulated_agrees()
    {
        using JsonDocument cases = Read();
        device.Begin();
        device.Become(90);
        var agreed = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            foreach (JsonElement one in cases.RootElement.EnumerateArray())
            {
                string instruction = one.GetProperty("instruction").GetString()!;
                if (!instructions.TryGetValue(instruction, out int number))
                    continue;
                Check(one, instruction, number);
                agreed[instruction] = agreed.GetValueOrDefault(instruction) + 1;
            }
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }

        Assert.Equal(instructions.Keys.Order(StringComparer.Ordinal), agreed.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Not emulated yet, because no kernel uses them: said aloud and counted.</summary>
    [Fact]
    public void Nothing_is_left_out_in_silence()
    {
        using JsonDocument cases = Read();
        string[] missing = [.. cases.RootElement.EnumerateArray().Select(one => one.GetProperty("instruction").GetString()!).Where(name => !instructions.ContainsKey(name)).Distinct()];
        if (missing.Length > 0)
            Assert.Skip($"{missing.Length} instructions of golden/ptx are not emulated, and no kernel uses them: {string.Join(", ", missing)}");
    }

    private static JsonDocument Read()
    {
        string path = RepositoryPaths.Find("../shared/golden/ptx/cases.json");
        if (!File.Exists(path))
            Assert.Skip("../shared is not here: golden/ptx/cases.json was not found");
        return JsonDocument.Parse(File.ReadAllBytes(path));
    }

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
