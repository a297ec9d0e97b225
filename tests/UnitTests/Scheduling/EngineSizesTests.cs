using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>What limits mean for the published models.</summary>
public sealed class EngineSizesTests
{
    /// <summary>Prompts have the checkpoint's limit, answers come on top of it, and the cache only has to have room for the prompt at first.</summary>
    [Theory]
    [InlineData(ModelPresets.VisionLanguage7B)]
    [InlineData(ModelPresets.Composition7B)]
    [InlineData(ModelPresets.VisionLanguage1B8)]
    public void Answers_come_on_top_of_the_longest_prompt(string preset)
    {
        EngineSizes sizes = Resolve(preset, new EngineLimits());
        Assert.Equal((4096, 16384), (sizes.PromptLength, sizes.ContextLength));
        Assert.Equal((65, 257), (sizes.FirstPages, sizes.CachePages));
        Assert.Equal(130, sizes.RetainedPages);
    }

    /// <summary>A cache that is not limited may grow to a sequence for each beam, and begins as large as without.</summary>
    [Fact]
    public void Beams_have_a_sequence_each()
    {
        EngineSizes sizes = Resolve(ModelPresets.VisionLanguage7B, new EngineLimits { Beams = 3 });
        Assert.Equal((65, 3 * 257), (sizes.FirstPages, sizes.CachePages));
        Assert.Equal(257, Resolve(ModelPresets.VisionLanguage7B, new EngineLimits { Beams = 3, CacheBytes = 257L * 64 * 131072 }).CachePages);
        Assert.Equal("beams: expected 1 to 2, the answers generated together, found 3", Assert.Throws<EngineException>(() => Resolve(ModelPresets.VisionLanguage7B, new EngineLimits { Sequences = 2, Beams = 3 })).Message);
    }

    [Fact]
    public void Three_pictures_and_a_question_leave_a_thousand_tokens_of_answer()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage7B);
        EngineSizes sizes = Resolve(ModelPresets.VisionLanguage7B, new EngineLimits());
        int prompt = (3 * config.TokensPerImage) + 200;
        Assert.InRange(prompt, 0, sizes.PromptLength);
        Assert.InRange(prompt + 1024, 0, sizes.ContextLength);
        Assert.Equal(6, sizes.KeptPictures);
    }

    /// <summary>Ten uploads, an article of 4096 tokens with 60 marked sections, and as many chosen pictures and candidates as there can be.</summary>
    [Fact]
    public void Place_and_choice_prompts_of_the_longest_article_fit()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.Composition7B);
        EngineSizes sizes = Resolve(ModelPresets.Composition7B, new EngineLimits());
        Assert.InRange((10 * config.TokensPerImage) + 4096 + (60 * 8) + 200, 0, sizes.ContextLength);
        Assert.InRange(((15 + 10) * config.TokensPerImage) + 4096 + 200, 0, sizes.ContextLength);
        Assert.InRange(15 + 10, 0, sizes.Pictures);
    }

    [Fact]
    public void An_explicit_context_holds_prompt_and_answer()
    {
        EngineSizes sizes = Resolve(ModelPresets.VisionLanguage7B, new EngineLimits { Context = 8192 });
        Assert.Equal((8191, 8192, 129, 129), (sizes.PromptLength, sizes.ContextLength, sizes.FirstPages, sizes.CachePages));
        EngineException refusal = Assert.Throws<EngineException>(() => Resolve(ModelPresets.VisionLanguage7B, new EngineLimits { Context = 32769 }));
        Assert.Contains("1 to 32768", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_cache_keeps_all_it_holds()
    {
        EngineSizes sizes = Resolve(ModelPresets.VisionLanguage7B, new EngineLimits { CacheBytes = 8L << 30 });
        Assert.Equal((1024, 1024), (sizes.CachePages, sizes.RetainedPages));
    }

    [Fact]
    public void Refusals_of_long_prompts_name_the_limit()
    {
        EngineSizes sizes = Resolve(ModelPresets.VisionLanguage7B, new EngineLimits());
        Assert.Equal(
            "the prompt has 5000 tokens, the limit is 4096 tokens, the checkpoint's max_length; an explicit context allows longer prompts", sizes.PromptTooLong(5000).Message);
        Assert.Equal(
            "the prompt has 20000 tokens, the context is 16384 tokens and must hold at least one of the answer", sizes.PromptTooLong(20000).Message);
    }

    private static EngineSizes Resolve(string preset, EngineLimits limits) => EngineSizes.Resolve(limits, ModelPresets.Find(preset), CacheFormat.BF16, DeviceKind.Cuda);
}
