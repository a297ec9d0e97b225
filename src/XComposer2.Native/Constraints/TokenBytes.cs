using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>The bytes of all tokens that are text, in their order, so that tokens with a common beginning are neighbours. Immutable.</summary>
internal sealed class TokenBytes
{
    private readonly int[] ids;
    private readonly byte[][] bytes;
    private readonly int[] shared;
    private readonly byte[]?[] ofId;

    /// <param name="tokenizer">The model's. Its marks and control tokens are no text.</param>
    public TokenBytes(TextTokenizer tokenizer)
    {
        ofId = new byte[tokenizer.VocabularySize][];
        for (int id = 0; id < ofId.Length; id++)
            if (tokenizer.IsText(id) && tokenizer.BytesOf(id) is { Length: > 0 } text)
                ofId[id] = text;
        ids = [.. Enumerable.Range(0, ofId.Length).Where(id => ofId[id] is not null)];
        Array.Sort(ids, (left, right) => ofId[left].AsSpan().SequenceCompareTo(ofId[right]));
        bytes = [.. ids.Select(id => ofId[id]!)];
        shared = new int[ids.Length];
        for (int place = 1; place < ids.Length; place++)
            shared[place] = bytes[place].AsSpan().CommonPrefixLength(bytes[place - 1]);
        Longest = bytes.Max(text => text.Length);
    }

    /// <summary>Bytes of the longest token.</summary>
    public int Longest { get; }

    /// <summary>Of a token that is text; empty for others.</summary>
    public ReadOnlySpan<byte> Of(int id) => (uint)id < (uint)ofId.Length ? ofId[id] : [];

    /// <summary>Sets the bit of each token that may come next.</summary>
    /// <param name="automaton">Knows what may.</param>
    /// <param name="state">After what was said.</param>
    /// <param name="allowed">[vocabulary / 32, rounded up].</param>
    public void Allow(GrammarAutomaton automaton, int state, Span<uint> allowed)
    {
        int[] states = new int[Longest + 1];
        states[0] = state;
        // Bytes of the token before that are possible.
        int possible = 0;
        for (int place = 0; place < ids.Length; place++)
        {
            // Also the byte that was impossible.
            if (shared[place] > possible)
                continue;
            byte[] text = bytes[place];
            int length = shared[place];
            while (length < text.Length && automaton.Step(states[length], text[length]) is >= 0 and int next)
                states[++length] = next;
            possible = length;
            if (length == text.Length)
                allowed[ids[place] / 32] |= 1u << (ids[place] % 32);
        }
    }
}

/// <summary>Holds one answer to a grammar; end marks are possible where the text is complete. Used on the engine thread.</summary>
/// <param name="automaton">Of this answer.</param>
/// <param name="tokens">Of the model.</param>
/// <param name="stopIds">End marks; not empty.</param>
/// <param name="vocabularySize">Logits.</param>
internal sealed class GrammarConstraint(GrammarAutomaton automaton, TokenBytes tokens, IReadOnlyList<int> stopIds, int vocabularySize) : ITokenConstraint
{
    private const int MaximumMasks = 256;

    private readonly Dictionary<int, uint[]> masks = [];
    private int state = automaton.Start;

    public ReadOnlySpan<uint> Allowed
    {
        get
        {
            if (masks.TryGetValue(state, out uint[]? known))
                return known;
            uint[] allowed = new uint[(vocabularySize + 31) / 32];
            if (!automaton.IsFinal(state))
                tokens.Allow(automaton, state, allowed);
            if (automaton.Accepts(state))
                foreach (int id in stopIds)
                    allowed[id / 32] |= 1u << (id % 32);
            if (masks.Count == MaximumMasks)
                masks.Clear();
            masks.Add(state, allowed);
            return allowed;
        }
    }

    public void Accept(int id)
    {
        foreach (byte value in tokens.Of(id))
            if ((state = automaton.Step(state, value)) == GrammarAutomaton.Dead)
                throw new InvalidOperationException($"token {id} does not belong to the answer's format");
    }
}
