using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary>Options whose values have a range, which the error names; and flags, which have no value.</summary>
internal static class CheckedOption
{
    /// <summary>On when present. It takes no value: <c>--flag false</c> would swallow a word of what follows.</summary>
    public static Option<bool> Flag(string name) => new(name) { Arity = ArgumentArity.Zero };

    public static Option<int?> Integer(string name, int minimum, int maximum = int.MaxValue)
    {
        string range = maximum == int.MaxValue ? $"at least {minimum}" : $"{minimum} to {maximum}";
        return Create<int?>(name, $"an integer, {range}", text =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum ? value : null);
    }

    /// <summary>An integer of a range, or a word that stands for another value.</summary>
    public static Option<int?> IntegerOrWord(string name, int minimum, int maximum, string word, int meaning) =>
        Create<int?>(name, $"{word} or an integer, {minimum} to {maximum}", text =>
            text == word ? meaning : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum ? value : null);

    /// <summary>A number over 0, at most <paramref name="maximum"/>.</summary>
    public static Option<float?> Positive(string name, float maximum = float.PositiveInfinity)
    {
        string range = float.IsInfinity(maximum) ? "over 0" : string.Create(CultureInfo.InvariantCulture, $"over 0, at most {maximum}");
        return Create<float?>(name, $"a number {range}", text =>
            float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) && value > 0 && value <= maximum ? value : null);
    }

    public static Option<ulong?> Unsigned(string name) => Create<ulong?>(name, $"an integer, 0 to {ulong.MaxValue}", text =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null);

    /// <summary>One of some words.</summary>
    public static Option<T?> Choice<T>(string name, params (string Word, T Value)[] choices)
        where T : struct =>
        Create<T?>(name, string.Join(" or ", choices.Select(choice => choice.Word)), text =>
        {
            foreach ((string word, T value) in choices)
                if (word == text)
                    return value;
            return null;
        });

    private static Option<T> Create<T>(string name, string expected, Func<string, T> parse) => new(name)
    {
        CustomParser = argument =>
        {
            string text = argument.Tokens[0].Value;
            T value = parse(text);
            if (value is null)
                argument.AddError($"{name} must be {expected}, not '{text}'");
            return value;
        },
    };
}
