using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary>A value with a range, which the error names.</summary>
/// <param name="Expected">Completes "must be".</param>
/// <param name="TryParse">Null if the text is not such a value.</param>
internal sealed record CheckedValue<T>(string Expected, Func<string, T> TryParse)
{
    /// <summary>The complaint about a text.</summary>
    public string Refuse(string name, string text) => $"{name} must be {Expected}, not '{text}'";
}

/// <summary>Values of common kinds.</summary>
internal static class CheckedValues
{
    public static CheckedValue<int?> Integer(int minimum, int maximum = int.MaxValue) => new(
        $"an integer, {(maximum == int.MaxValue ? $"at least {minimum}" : $"{minimum} to {maximum}")}",
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum ? value : null);

    /// <summary>A number over 0, at most <paramref name="maximum"/>.</summary>
    public static CheckedValue<float?> Positive(float maximum = float.PositiveInfinity) => new(
        $"a number {(float.IsInfinity(maximum) ? "over 0" : string.Create(CultureInfo.InvariantCulture, $"over 0, at most {maximum}"))}",
        text => float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) && value > 0 && value <= maximum ? value : null);

    /// <exception cref="UsageException">The text is not such a value.</exception>
    public static T Parse<T>(this CheckedValue<T?> kind, string name, string text)
        where T : struct => kind.TryParse(text) ?? throw new UsageException(kind.Refuse(name, text));
}

/// <summary>Options whose values have a range; and flags, which have no value.</summary>
internal static class CheckedOption
{
    /// <summary>On when present. It takes no value: <c>--flag false</c> would swallow a word of what follows.</summary>
    public static Option<bool> Flag(string name, params string[] aliases) => new(name, aliases) { Arity = ArgumentArity.Zero };

    public static Option<int?> Integer(string name, int minimum, int maximum = int.MaxValue) => Of(name, CheckedValues.Integer(minimum, maximum));

    /// <summary>An integer of a range, or a word that stands for another value.</summary>
    public static Option<int?> IntegerOrWord(string name, int minimum, int maximum, string word, int meaning) =>
        Of(name, new CheckedValue<int?>($"{word} or an integer, {minimum} to {maximum}", text =>
            text == word ? meaning : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum ? value : null));

    /// <inheritdoc cref="CheckedValues.Positive"/>
    public static Option<float?> Positive(string name, float maximum = float.PositiveInfinity) => Of(name, CheckedValues.Positive(maximum));

    /// <summary>One of some words.</summary>
    public static Option<T?> Choice<T>(string name, params (string Word, T Value)[] choices)
        where T : struct => ChoiceWithAlias(name, [], choices);

    /// <inheritdoc cref="Choice"/>
    public static Option<T?> ChoiceWithAlias<T>(string name, string[] aliases, params (string Word, T Value)[] choices)
        where T : struct
    {
        string[] words = new string[choices.Length];
        for (int i = 0; i < words.Length; i++)
            words[i] = choices[i].Word;
        Option<T?> option = Of(name, new CheckedValue<T?>(string.Join(" or ", words), text => Array.IndexOf(words, text) is >= 0 and int at ? choices[at].Value : null), aliases);
        // The parser's own source suggests the names of an enumeration.
        option.CompletionSources.Clear();
        option.CompletionSources.Add(words);
        return option;
    }

    public static Option<T> Of<T>(string name, CheckedValue<T> kind, params string[] aliases) => new(name, aliases)
    {
        CustomParser = argument =>
        {
            string text = argument.Tokens[0].Value;
            T value = kind.TryParse(text);
            if (value is null)
                argument.AddError(kind.Refuse(name, text));
            return value;
        },
    };
}
