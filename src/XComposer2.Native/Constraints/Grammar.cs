namespace XComposer2.Native;

/// <summary>
/// A grammar over bytes: rules of alternatives, each a sequence of sets of bytes and of rules. No rule may begin with itself. Immutable once built, and
/// then safe to share between threads.
/// </summary>
internal sealed class Grammar
{
    private readonly GrammarElement[] elements;
    private readonly int[][] alternatives;
    private readonly byte[] classOf;

    private Grammar(GrammarElement[] elements, int[][] alternatives, byte[] classOf, int classes)
    {
        this.elements = elements;
        this.alternatives = alternatives;
        this.classOf = classOf;
        Classes = classes;
    }

    /// <summary>Bytes that no rule tells apart are one class; so many are there.</summary>
    public int Classes { get; }

    /// <summary>The rule of the whole text.</summary>
    public const int Root = 0;

    public ref readonly GrammarElement this[int position] => ref elements[position];

    /// <summary>Positions of the first elements of a rule's alternatives.</summary>
    public ReadOnlySpan<int> AlternativesOf(int rule) => alternatives[rule];

    public int ClassOf(byte value) => classOf[value];

    /// <summary>Collects rules. Not thread-safe.</summary>
    public sealed class Builder
    {
        private const int MaximumElements = 200_000;

        private readonly List<GrammarElement> elements = [];
        private readonly List<List<int>> rules = [];

        /// <summary>A new rule without alternatives.</summary>
        public int AddRule()
        {
            rules.Add([]);
            return rules.Count - 1;
        }

        /// <summary>Adds an alternative to a rule; an empty one is the empty text.</summary>
        /// <exception cref="EngineException">The grammar is too large.</exception>
        public void AddAlternative(int rule, params ReadOnlySpan<GrammarElement> sequence)
        {
            if (elements.Count + sequence.Length >= MaximumElements)
                throw new EngineException($"the schema is too large: its grammar has more than {MaximumElements} elements");
            rules[rule].Add(elements.Count);
            foreach (GrammarElement element in sequence)
                elements.Add(element);
            elements.Add(GrammarElement.End);
        }

        /// <summary>A new rule with one alternative.</summary>
        public GrammarElement Rule(params ReadOnlySpan<GrammarElement> sequence)
        {
            int rule = AddRule();
            AddAlternative(rule, sequence);
            return GrammarElement.OfRule(rule);
        }

        /// <summary>A new rule for any of some elements.</summary>
        public GrammarElement Any(params ReadOnlySpan<GrammarElement> choices)
        {
            int rule = AddRule();
            foreach (GrammarElement choice in choices)
                AddAlternative(rule, choice);
            return GrammarElement.OfRule(rule);
        }

        /// <summary>A new rule for a text.</summary>
        public GrammarElement Literal(ReadOnlySpan<byte> text)
        {
            var sequence = new GrammarElement[text.Length];
            for (int place = 0; place < sequence.Length; place++)
                sequence[place] = GrammarElement.OfBytes(ByteSet.Of(text[place], text[place]));
            return Rule(sequence);
        }

        /// <summary>A new rule for an element, a number of times.</summary>
        /// <param name="element">What is repeated.</param>
        /// <param name="least">At least so often.</param>
        /// <param name="most">At most; null for any number.</param>
        public GrammarElement Repeat(GrammarElement element, int least, int? most)
        {
            int rule = AddRule();
            AddAlternative(rule);
            if (most is null)
                AddAlternative(rule, element, GrammarElement.OfRule(rule));
            for (int optional = least; optional < most; optional++)
            {
                int longer = AddRule();
                AddAlternative(longer);
                AddAlternative(longer, element, GrammarElement.OfRule(rule));
                rule = longer;
            }

            for (int required = 0; required < least; required++)
            {
                int longer = AddRule();
                AddAlternative(longer, element, GrammarElement.OfRule(rule));
                rule = longer;
            }

            return GrammarElement.OfRule(rule);
        }

        public Grammar Build()
        {
            ByteSet[] sets = [.. elements.Where(element => element.IsBytes).Select(element => element.Bytes).Distinct()];
            byte[] classOf = new byte[256];
            List<byte> firsts = [];
            for (int value = 0; value < classOf.Length; value++)
            {
                int known = firsts.FindIndex(first => Array.TrueForAll(sets, set => set.Contains(first) == set.Contains((byte)value)));
                if (known < 0)
                {
                    known = firsts.Count;
                    firsts.Add((byte)value);
                }

                classOf[value] = (byte)known;
            }

            // From here on a set has classes, not bytes.
            Dictionary<ByteSet, ByteSet> classSets = sets.ToDictionary(set => set, set => Enumerable.Range(0, firsts.Count).Where(index => set.Contains(firsts[index])).Aggregate(default(ByteSet), (all, index) => all | ByteSet.Of((byte)index, (byte)index)));
            return new Grammar([.. elements.Select(element => element.IsBytes ? GrammarElement.OfBytes(classSets[element.Bytes]) : element)], [.. rules.Select(rule => rule.ToArray())], classOf, firsts.Count);
        }
    }
}

/// <summary>Part of an alternative: a byte of a set, a rule, or the end.</summary>
internal readonly record struct GrammarElement
{
    private GrammarElement(int rule, ByteSet bytes)
    {
        Rule = rule;
        Bytes = bytes;
    }

    public static GrammarElement End => new(-2, default);

    /// <summary>Negative where it is none.</summary>
    public int Rule { get; }

    public ByteSet Bytes { get; }

    public bool IsEnd => Rule == -2;

    public bool IsBytes => Rule == -1;

    public static GrammarElement OfRule(int rule) => new(rule, default);

    public static GrammarElement OfBytes(ByteSet bytes) => new(-1, bytes);

    /// <summary>A byte of a range.</summary>
    public static GrammarElement OfBytes(int first, int last) => OfBytes(ByteSet.Of((byte)first, (byte)last));

    /// <summary>A byte of an ASCII text.</summary>
    public static GrammarElement OneOf(string letters) => OfBytes(letters.Aggregate(default(ByteSet), (all, letter) => all | ByteSet.Of((byte)letter, (byte)letter)));
}

/// <summary>A set of bytes.</summary>
internal readonly record struct ByteSet(ulong First, ulong Second, ulong Third, ulong Fourth)
{
    public static ByteSet Of(byte first, byte last)
    {
        Span<ulong> words = stackalloc ulong[4];
        words.Clear();
        for (int value = first; value <= last; value++)
            words[value / 64] |= 1UL << (value % 64);
        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    public static ByteSet operator |(ByteSet left, ByteSet right) => new(left.First | right.First, left.Second | right.Second, left.Third | right.Third, left.Fourth | right.Fourth);

    public bool Contains(int value) => ((value / 64) switch { 0 => First, 1 => Second, 2 => Third, _ => Fourth } >> (value % 64) & 1) != 0;
}
