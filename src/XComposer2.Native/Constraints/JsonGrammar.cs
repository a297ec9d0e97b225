using static XComposer2.Native.GrammarElement;

namespace XComposer2.Native;

/// <summary>
/// Rules of JSON texts. Between tokens of JSON stands nothing, one space, or a line break with an indentation, so that an answer cannot consist of spaces.
/// Texts are well-formed UTF-8 without control characters, and escapes are whole characters.
/// </summary>
internal sealed class JsonGrammar
{
    private const int MaximumDigits = 16, MaximumIndentation = 20;

    private readonly Grammar.Builder grammar;
    private readonly GrammarElement digit = OfBytes('0', '9');

    public JsonGrammar(Grammar.Builder grammar)
    {
        this.grammar = grammar;
        Space = grammar.Any(grammar.Rule(), OneOf(" "), grammar.Rule(OneOf("\n"), grammar.Repeat(OneOf(" \t"), 0, MaximumIndentation)));
        Letter = MakeLetter();
        Text = TextOf(0, null);
        GrammarElement digits = grammar.Repeat(digit, 1, MaximumDigits), sign = grammar.Any(grammar.Rule(), OneOf("-"));
        Integer = grammar.Rule(sign, grammar.Any(OneOf("0"), grammar.Rule(OfBytes('1', '9'), grammar.Repeat(digit, 0, MaximumDigits - 1))));
        GrammarElement fraction = grammar.Any(grammar.Rule(), grammar.Rule(OneOf("."), digits));
        GrammarElement exponent = grammar.Any(grammar.Rule(), grammar.Rule(OneOf("eE"), grammar.Any(grammar.Rule(), OneOf("+-")), grammar.Repeat(digit, 1, 3)));
        Number = grammar.Rule(Integer, fraction, exponent);
        Boolean = grammar.Any(grammar.Literal("true"u8), grammar.Literal("false"u8));
        Null = grammar.Literal("null"u8);
        int value = grammar.AddRule();
        Value = OfRule(value);
        Object = MapOf(Value);
        Array = ArrayOf([], Value, 0, null);
        foreach (GrammarElement kind in (ReadOnlySpan<GrammarElement>)[Object, Array, Text, Number, Boolean, Null])
            grammar.AddAlternative(value, kind);
    }

    /// <summary>What may stand between tokens.</summary>
    public GrammarElement Space { get; }

    public GrammarElement Text { get; }

    public GrammarElement Integer { get; }

    public GrammarElement Number { get; }

    public GrammarElement Boolean { get; }

    public GrammarElement Null { get; }

    public GrammarElement Array { get; }

    public GrammarElement Object { get; }

    /// <summary>Any of them.</summary>
    public GrammarElement Value { get; }

    // One character of a text, escaped or not.
    private GrammarElement Letter { get; }

    /// <summary>A text of so many characters.</summary>
    public GrammarElement TextOf(int least, int? most) => grammar.Rule(OneOf("\""), grammar.Repeat(Letter, least, most), OneOf("\""));

    /// <summary>An object with any names, whose values are all of one kind.</summary>
    public GrammarElement MapOf(GrammarElement value)
    {
        GrammarElement member = Member(Text, value);
        return grammar.Rule(OneOf("{"), Space, grammar.Any(grammar.Rule(), grammar.Rule(member, grammar.Repeat(grammar.Rule(Comma(), member), 0, null), Space)), OneOf("}"));
    }

    /// <summary>An object with these members in this order.</summary>
    public GrammarElement ObjectOf(IReadOnlyList<(GrammarElement Name, GrammarElement Value, bool IsRequired)> members)
    {
        // From the last to the first: what may follow where no member is before it, and where one is.
        GrammarElement first = grammar.Rule(), later = grammar.Rule(Space);
        for (int place = members.Count - 1; place >= 0; place--)
        {
            GrammarElement member = Member(members[place].Name, members[place].Value);
            GrammarElement asFirst = grammar.Rule(member, later), asLater = grammar.Rule(Comma(), member, later);
            first = members[place].IsRequired ? asFirst : grammar.Any(asFirst, first);
            later = members[place].IsRequired ? asLater : grammar.Any(asLater, later);
        }

        return grammar.Rule(OneOf("{"), Space, first, OneOf("}"));
    }

    /// <summary>An array that begins with some elements, and then has others.</summary>
    /// <param name="beginning">One each.</param>
    /// <param name="others">Null for none.</param>
    /// <param name="least">Elements.</param>
    /// <param name="most">Elements; null for any number.</param>
    public GrammarElement ArrayOf(IReadOnlyList<GrammarElement> beginning, GrammarElement? others, int least, int? most)
    {
        int limit = Math.Min(beginning.Count, most ?? int.MaxValue);
        GrammarElement? head = limit > 0 ? beginning[0] : most == 0 ? null : others;
        if (head is not { } first)
            return grammar.Rule(OneOf("["), Space, OneOf("]"));
        GrammarElement tail = Others(Math.Max(limit, 1));
        for (int place = limit - 1; place >= 1; place--)
        {
            GrammarElement next = grammar.Rule(Comma(), beginning[place], tail);
            tail = place < least ? next : grammar.Any(next, Space);
        }

        GrammarElement elements = grammar.Rule(first, tail);
        return grammar.Rule(OneOf("["), Space, least > 0 ? elements : grammar.Any(elements, grammar.Rule()), OneOf("]"));

        GrammarElement Others(int before) => others is { } other && (most is null || most > before)
            ? grammar.Rule(grammar.Repeat(grammar.Rule(Comma(), other), Math.Max(least - before, 0), most - before), Space)
            : grammar.Rule(Space);
    }

    private GrammarElement Comma() => grammar.Rule(Space, OneOf(","), Space);

    private GrammarElement Member(GrammarElement name, GrammarElement value) => grammar.Rule(name, Space, OneOf(":"), Space, value);

    private GrammarElement MakeLetter()
    {
        GrammarElement more = OfBytes(0x80, 0xBF), hex = OneOf("0123456789abcdefABCDEF");
        GrammarElement plain = OfBytes(ByteSet.Of(0x20, 0x21) | ByteSet.Of(0x23, 0x5B) | ByteSet.Of(0x5D, 0x7F));
        GrammarElement two = grammar.Rule(OfBytes(0xC2, 0xDF), more);
        GrammarElement three = grammar.Any(
            grammar.Rule(OfBytes(0xE0, 0xE0), OfBytes(0xA0, 0xBF), more), grammar.Rule(OfBytes(ByteSet.Of(0xE1, 0xEC) | ByteSet.Of(0xEE, 0xEF)), more, more), grammar.Rule(OfBytes(0xED, 0xED), OfBytes(0x80, 0x9F), more));
        GrammarElement four = grammar.Any(
            grammar.Rule(OfBytes(0xF0, 0xF0), OfBytes(0x90, 0xBF), more, more), grammar.Rule(OfBytes(0xF1, 0xF3), more, more, more), grammar.Rule(OfBytes(0xF4, 0xF4), OfBytes(0x80, 0x8F), more, more));
        GrammarElement unicode = grammar.Any(
            grammar.Rule(OneOf("0123456789abcefABCEF"), hex, hex, hex), grammar.Rule(OneOf("dD"), OneOf("01234567"), hex, hex),
            grammar.Rule(OneOf("dD"), OneOf("89abAB"), hex, hex, grammar.Literal("\\u"u8), OneOf("dD"), OneOf("cdefCDEF"), hex, hex));
        GrammarElement escape = grammar.Rule(OneOf("\\"), grammar.Any(OneOf("\"\\/bfnrt"), grammar.Rule(OneOf("u"), unicode)));
        return grammar.Any(plain, two, three, four, escape);
    }
}
