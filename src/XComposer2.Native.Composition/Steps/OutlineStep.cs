using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>Writes an outline of an article that is to be written. The prompt is this program's own; there is no published one.</summary>
internal sealed class OutlineStep(ModelQuestions questions)
{
    private const int MaximumTokens = 400;

    public async Task<IReadOnlyList<string>> RunAsync(string title, IReadOnlyList<string> material, ulong seed, CancellationToken cancellationToken)
    {
        CompositionPrompt prompt = new PromptBuilder().Text(Instruction(title.Trim(), [.. material.Select(text => text.Trim()).Where(text => text.Length > 0)])).Build();
        if (!questions.Fits(prompt, out string problem))
            throw new EngineException($"no outline: {problem}");
        string answer = await questions.AskAsync(prompt, MaximumTokens, StepSeeds.Of(seed, CompositionStep.Outline, 0), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> points = ArticleOutline.Read(answer);
        return points.Count > 0 ? points : throw new EngineException("the model returned no outline; another seed may help");
    }

    private static string Instruction(string title, string[] material)
    {
        if (TextLanguage.Of(title) == TextLanguage.Chinese)
            return $"根据以下标题：“{title}”，列出文章大纲，每行一个要点。" + (material.Length > 0 ? $"请结合以下文本素材：{string.Join('\n', material)}" : "");
        return $"Write the outline of an article with the title \"{title}\", one point per line." + (material.Length > 0 ? $" Use this material: {string.Join('\n', material)}" : "");
    }
}

/// <summary>The points of an outline, as a model or a person writes them: one per line, with or without numbers and bullets.</summary>
public static partial class ArticleOutline
{
    /// <summary>Maximum number of points; further ones are dropped.</summary>
    public const int MaximumPoints = 30;

    /// <summary>Reads the points of a text.</summary>
    public static IReadOnlyList<string> Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.ReplaceLineEndings("\n").Split('\n').Select(line => EmphasisReader.Plain(Mark().Replace(line, "").Trim())).Where(line => line.Length > 0).Take(MaximumPoints)];
    }

    [GeneratedRegex(@"^\s*(#+\s+|[-*+•·]\s+|[0-9]{1,3}([.)]\s*|、)|[一二三四五六七八九十]{1,3}、)+")]
    private static partial Regex Mark();
}
