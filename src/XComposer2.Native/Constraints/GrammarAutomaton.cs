namespace XComposer2.Native;

/// <summary>
/// Reads a text byte by byte and knows whether it can still become one of a grammar. A state is the set of all stacks that the text may have led to; stacks
/// share their lower parts, and states and steps between them are remembered. Not thread-safe.
/// </summary>
internal sealed class GrammarAutomaton
{
    /// <summary>The text cannot become one of the grammar.</summary>
    public const int Dead = -1;

    private const int MaximumStates = 1 << 16, Unknown = -2, Bottom = 0;

    private readonly Grammar grammar;

    // A stack: the position whose element comes next, and the stack below it. The first is the empty one.
    private readonly List<(int Position, int Below)> stacks = [(-1, -1)];
    private readonly Dictionary<(int Position, int Below), int> stackOf = [];
    private readonly List<int[]> states = [];
    private readonly Dictionary<StackSet, int> stateOf = [];
    private readonly List<int[]> steps = [];

    public GrammarAutomaton(Grammar grammar)
    {
        this.grammar = grammar;
        var first = new SortedSet<int>();
        var seen = new HashSet<int>();
        foreach (int alternative in grammar.AlternativesOf(Grammar.Root))
            Expand(Stack(alternative, Bottom), first, seen);
        Start = StateOf(first);
    }

    /// <summary>Before the first byte.</summary>
    public int Start { get; }

    /// <summary>The text is complete, though it may go on.</summary>
    public bool Accepts(int state) => states[state][0] == Bottom;

    /// <summary>The text is complete and cannot go on.</summary>
    public bool IsFinal(int state) => states[state] is [Bottom];

    /// <summary>The state after one more byte; <see cref="Dead"/> where none is possible.</summary>
    /// <exception cref="InvalidOperationException">There are too many states.</exception>
    public int Step(int state, byte value)
    {
        int byteClass = grammar.ClassOf(value);
        ref int next = ref steps[state][byteClass];
        if (next != Unknown)
            return next;
        int found = Advance(state, byteClass);
        // The list of steps may have grown, the array has not moved.
        return next = found;
    }

    private int Advance(int state, int byteClass)
    {
        var reached = new SortedSet<int>();
        var seen = new HashSet<int>();
        foreach (int stack in states[state])
        {
            if (stack == Bottom)
                continue;
            (int position, int below) = stacks[stack];
            if (grammar[position].Bytes.Contains(byteClass))
                Expand(Stack(position + 1, below), reached, seen);
        }

        return reached.Count == 0 ? Dead : StateOf(reached);
    }

    // The end of an alternative needs no place on the stack: repetitions do not pile up.
    private int Stack(int position, int below)
    {
        if (grammar[position].IsEnd)
            return below;
        if (stackOf.TryGetValue((position, below), out int known))
            return known;
        stacks.Add((position, below));
        stackOf.Add((position, below), stacks.Count - 1);
        return stacks.Count - 1;
    }

    private void Expand(int stack, SortedSet<int> terminals, HashSet<int> seen)
    {
        var open = new Stack<int>();
        open.Push(stack);
        while (open.TryPop(out int next))
        {
            if (!seen.Add(next))
                continue;
            if (next == Bottom || grammar[stacks[next].Position].IsBytes)
            {
                terminals.Add(next);
                continue;
            }

            (int position, int below) = stacks[next];
            int after = Stack(position + 1, below);
            foreach (int alternative in grammar.AlternativesOf(grammar[position].Rule))
                open.Push(Stack(alternative, after));
        }
    }

    private int StateOf(SortedSet<int> reached)
    {
        var set = new StackSet([.. reached]);
        if (stateOf.TryGetValue(set, out int known))
            return known;
        if (states.Count == MaximumStates)
            throw new InvalidOperationException($"the answer's format needs more than {MaximumStates} states");
        int[] unknown = new int[grammar.Classes];
        Array.Fill(unknown, Unknown);
        states.Add(set.Stacks);
        steps.Add(unknown);
        stateOf.Add(set, states.Count - 1);
        return states.Count - 1;
    }

    /// <summary>Stacks in ascending order, compared by value.</summary>
    private readonly struct StackSet(int[] stacks) : IEquatable<StackSet>
    {
        public int[] Stacks => stacks;

        public bool Equals(StackSet other) => stacks.AsSpan().SequenceEqual(other.Stacks);

        public override bool Equals(object? obj) => obj is StackSet other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (int stack in stacks)
                hash.Add(stack);
            return hash.ToHashCode();
        }
    }
}
