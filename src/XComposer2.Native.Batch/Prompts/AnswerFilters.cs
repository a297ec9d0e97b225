using System.Globalization;
using System.Text.RegularExpressions;
using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>What is left out: pictures before they are asked, answers afterwards. The reason is part of the result.</summary>
internal sealed record AnswerFilters
{
    /// <summary>Shorter side of a picture in pixels; 0 for any.</summary>
    public int MinSide { get; init; }

    /// <summary>Longer side of a picture divided by the shorter one; 0 for any.</summary>
    public float MaxAspect { get; init; }

    /// <summary>Length of an answer in characters.</summary>
    public int MinLength { get; init; }

    /// <summary>Length of an answer in characters; 0 for any.</summary>
    public int MaxLength { get; init; }

    /// <summary>Patterns that an answer must contain.</summary>
    public IReadOnlyList<Regex> Required { get; init; } = [];

    /// <summary>Patterns that no answer may contain.</summary>
    public IReadOnlyList<Regex> Rejected { get; init; } = [];

    /// <summary>Leaves out answers that the token limit cut off.</summary>
    public bool RejectsTruncated { get; init; }

    public bool LooksAtPictures => MinSide > 0 || MaxAspect > 0;

    /// <summary>A pattern that takes time in proportion to the text, whatever the text is.</summary>
    /// <exception cref="BatchException">It is no such pattern.</exception>
    public static Regex Pattern(string text, string option)
    {
        try
        {
            return new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new BatchException($"{option}: {error.Message}", error);
        }
    }

    /// <returns>Why the picture is left out; null if it is asked.</returns>
    public string? Refuse(ImageHeader header)
    {
        (long shorter, long longer) = (Math.Min(header.Width, header.Height), Math.Max(header.Width, header.Height));
        string size = $"the picture is {header.Width} x {header.Height}";
        return shorter < MinSide ? $"min-side {MinSide}: {size}"
            : MaxAspect > 0 && longer > MaxAspect * shorter ? string.Create(CultureInfo.InvariantCulture, $"max-aspect {MaxAspect}: {size}")
            : null;
    }

    /// <param name="text">The answer, with its prefix.</param>
    /// <param name="reason">Why it ended.</param>
    /// <returns>Why it is left out; null if it is kept.</returns>
    public string? Refuse(string text, FinishReason reason)
    {
        if (RejectsTruncated && reason == FinishReason.Length)
            return "complete: the answer was cut off by the token limit";
        if (text.Length < MinLength)
            return $"min-length {MinLength}: the answer has {text.Length} characters";
        if (MaxLength > 0 && text.Length > MaxLength)
            return $"max-length {MaxLength}: the answer has {text.Length} characters";
        foreach (Regex pattern in Required)
            if (!pattern.IsMatch(text))
                return $"match {pattern}";
        foreach (Regex pattern in Rejected)
            if (pattern.Match(text) is { Success: true } match)
                return $"reject {pattern}: found '{match.Value}'";
        return null;
    }
}
