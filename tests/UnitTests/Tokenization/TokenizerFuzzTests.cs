using System.Diagnostics;
using System.Text;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// Mutated and random <c>tokenizer.model</c> files, the same ones in every run: each is refused with a <see cref="CheckpointException"/>,
/// or read, and then it encodes and decodes. Memory stays within a constant times the file's length.
/// </summary>
public sealed class TokenizerFuzzTests(ITestOutputHelper output)
{
    private const int Cases = 4000;
    private const int SpareBytes = 4096;
    private const long FixedAllowanceBytes = 256 << 10, AllowancePerByte = 128;

    private static readonly byte[][] Tokens =
    [
        .. new[] { "<s>", "</s>", "<unk>", "<0x00>", "<0x0A>", "[UNUSED_TOKEN_145]", "\u2581", "\n\u0005\n\u0003abc", "\u0018\u0004", "\u0018\u0006", "\u0018\u0002" }.Select(Encoding.UTF8.GetBytes),
        [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0x12, 0x00], [0x1A, 0x00], [0x15, 0x00, 0x00, 0xC0, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xF0, 0x9F, 0x98, 0x80], [0xED, 0xA0, 0x80],
    ];

    [Theory]
    [InlineData("tests/golden/tokenizer/small.model")]
    [InlineData("tools/demo/checkpoint/tokenizer.model")]
    public void Mutated_files(string model)
    {
        byte[] file = File.ReadAllBytes(TestPaths.Repository(model));
        byte[] buffer = new byte[file.Length + SpareBytes];
        ByteMutator mutator = new(31, Tokens);
        // The last mutations reach the settings, which are a small part of the file's end.
        Run(i => mutator.Mutate(file, i % 4 == 0 ? file.Length - 100 : 0, buffer), buffer, accepts: true);
    }

    [Fact]
    public void Random_bytes()
    {
        Random random = new(32);
        byte[] buffer = new byte[SpareBytes];
        Run(_ =>
        {
            int length = random.Next(1, buffer.Length);
            random.NextBytes(buffer.AsSpan(0, length));
            return length;
        }, buffer, accepts: false);
    }

    private void Run(Func<int, int> make, byte[] buffer, bool accepts)
    {
        int accepted = 0;
        long worst = 0;
        Stopwatch watch = Stopwatch.StartNew();
        using (FileBytes warm = FileBytes.Map(TestPaths.Repository("tools/demo/checkpoint/tokenizer.model")))
            Use(warm);
        for (int i = 0; i < Cases; i++)
        {
            int length = make(i);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using FileBytes bytes = FileBytes.FromArray(buffer, length, "fuzz");
                Use(bytes);
                accepted++;
            }
            catch (CheckpointException error)
            {
                Assert.Equal("fuzz", error.File);
            }
            worst = Math.Max(worst, GC.GetAllocatedBytesForCurrentThread() - before - (AllowancePerByte * length));
        }
        output.WriteLine($"{Cases} cases, {accepted} accepted, {worst} bytes over {AllowancePerByte} per byte of the file, {watch.Elapsed.TotalSeconds:F1} s");
        Assert.True(worst <= FixedAllowanceBytes, $"{worst} bytes");
        // Both ways must be well travelled, or the mutations test nothing.
        Assert.InRange(accepted, accepts ? Cases / 200 : 0, accepts ? Cases - (Cases / 20) : 0);
    }

    private static void Use(FileBytes bytes)
    {
        TextTokenizer tokenizer = TextTokenizer.Read(bytes);
        const string Text = "The image shows<s>\n[UNUSED_TOKEN_145] aaaaa\u2581\u2581 图片Ａ😀";
        Assert.Equal(Text.Replace('\u2581', ' '), tokenizer.Decode([.. tokenizer.EncodeUserText(Text)]));
        Assert.All(tokenizer.Encode(Text), id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
    }
}
