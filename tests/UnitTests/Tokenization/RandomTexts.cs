using System.Text;

namespace XComposer2.Native.UnitTests;

/// <summary>Texts that a tokenizer may stumble over, the same ones in every run.</summary>
internal static class RandomTexts
{
    private static readonly string[] Parts =
    [
        " ", "  ", "\n", "\n\n", "\t", "a", "aa", "ab", "abc", "b", "e", "s", "t", "0", "1", "45", "[", "]", "[[", "<", ">", "_", "UNUSED", "TOKEN", "[UNUSED_TOKEN_", "_TOKEN_145]", "[UNUSED_TOKEN_145]", "[UNUSED_TOKEN_146]", "[UNUSED_TOKEN_0]", "[UNUSED_TOKEN_1", "<s>", "</s>",
        "<unk>", "<0x0A>", "<|end|>", "<ImageHere>", "user\n", "assistant\n", "The image", " shows", "图", "图片", "红色的", "é", "e\u0301", "😀", "𠀤", "\u200d", "Ａ", "ＡＢ", "ｂ", "—", "——", "…", "\uFFFD", "\0", "\r\n", ".", ",", "!?", "'s",
    ];

    public static IEnumerable<string> Make(int count, int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < count; i++)
        {
            StringBuilder text = new();
            for (int parts = random.Next(1, 30); parts > 0; parts--)
                text.Append(Parts[random.Next(Parts.Length)]);
            yield return text.ToString();
        }
    }
}
