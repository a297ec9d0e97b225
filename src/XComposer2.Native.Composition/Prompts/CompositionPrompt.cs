namespace XComposer2.Native.Composition;

/// <summary>One question of the composition pipeline: always the first and only turn of a conversation.</summary>
/// <param name="Text">Of the user; says <c>&lt;ImageHere&gt;</c> once for each picture.</param>
/// <param name="Pictures">In the order of their places.</param>
/// <param name="AnswerPrefix">What the answer begins with, already said.</param>
internal sealed record CompositionPrompt(string Text, IReadOnlyList<ArticlePicture> Pictures, string AnswerPrefix);
