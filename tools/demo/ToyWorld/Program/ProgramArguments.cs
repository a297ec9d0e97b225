using System.Globalization;

namespace XComposer2.Demo.Program;

/// <summary>Arguments that cannot be used; the message is for whoever wrote them.</summary>
public sealed class ArgumentsException(string message) : Exception(message);

/// <summary>A verb with its options: <c>--name value</c>, or <c>--name</c> alone for a switch.</summary>
public sealed class ProgramArguments
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);
    private readonly HashSet<string> unread;

    /// <exception cref="ArgumentsException">A value is missing, or stands without an option.</exception>
    public ProgramArguments(IReadOnlyList<string> arguments, params ReadOnlySpan<string> switches)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            if (!name.StartsWith("--", StringComparison.Ordinal))
                throw new ArgumentsException($"expected an option, found '{name}'");
            bool isSwitch = switches.Contains(name);
            if (!isSwitch && i + 1 == arguments.Count)
                throw new ArgumentsException($"{name}: expected a value, found none");
            values[name] = isSwitch ? "" : arguments[++i];
        }

        unread = [.. values.Keys];
    }

    /// <summary>Whether a switch was given.</summary>
    public bool Has(string name) => Take(name) is not null;

    /// <summary>A text, or its default.</summary>
    public string Text(string name, string missing) => Take(name) ?? missing;

    /// <summary>A text that must be given.</summary>
    /// <exception cref="ArgumentsException">It is missing.</exception>
    public string Required(string name) => Take(name) ?? throw new ArgumentsException($"expected {name}, found nothing");

    /// <summary>A number of 0 or more.</summary>
    /// <exception cref="ArgumentsException">It is no such number.</exception>
    public int Number(string name, int missing) => Take(name) is not { } text ? missing
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new ArgumentsException($"{name}: expected a number, found '{text}'");

    /// <summary>A number of 0 or more, with or without decimals.</summary>
    /// <exception cref="ArgumentsException">It is no such number.</exception>
    public double Decimal(string name, double missing) => Take(name) is not { } text ? missing
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : throw new ArgumentsException($"{name}: expected a number, found '{text}'");

    /// <summary>Texts with commas between them, or their default.</summary>
    public IReadOnlyList<string> List(string name, IReadOnlyList<string> missing) => Take(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? missing;

    /// <summary>Refuses options that nobody has read.</summary>
    /// <exception cref="ArgumentsException">There is one.</exception>
    public void RequireAllRead()
    {
        if (unread.Count > 0)
            throw new ArgumentsException($"unknown option {unread.Order(StringComparer.Ordinal).First()}");
    }

    private string? Take(string name)
    {
        unread.Remove(name);
        return values.GetValueOrDefault(name);
    }
}
