using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class BeamSearchTests
{
    private const double Tolerance = 1e-4;

    private static readonly BeamCases all = BeamCases.Read(TestPaths.Repository("tests/golden/beam/cases.json"));

    public static TheoryData<string> Cases => [.. all.Cases.Select(known => known.Id)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Search_finds_what_transformers_finds(string id)
    {
        BeamCase known = all.Cases.Single(other => other.Id == id);
        var search = new BeamSearch(known.Settings, known.MaxTokens);
        int steps = 0;
        for (; !search.IsDone; steps++)
        {
            search.Advance(Ranked(search, known, steps));
            if (known.Trace is { } trace)
                CheckBeams(trace[steps], search);
        }

        Assert.Equal(known.Answer, BeamSearch.Ids(search.Best.Last));
        Assert.Equal(known.Score, search.Best.Score, Tolerance);
        Assert.Equal((known.Steps, known.EosAppended), (steps, search.IsEnded));
        BeamCaseHypothesis[] final = [.. known.Hyps.Where(hypothesis => hypothesis.Final)];
        Assert.Equal(final.Select(hypothesis => string.Join(' ', hypothesis.Ids)), search.Hypotheses.Select(hypothesis => string.Join(' ', BeamSearch.Ids(hypothesis.Last))));
        Assert.All(final.Zip(search.Hypotheses), pair => Assert.Equal(pair.First.Score, pair.Second.Score, Tolerance));
    }

    [Fact]
    public void All_cases_are_there() => Assert.Equal(144, all.Cases.Length);

    /// <summary>A model that ends every sequence at once leaves fewer beams than were asked for, and an end all the same.</summary>
    [Fact]
    public void Search_ends_where_no_sequence_can_go_on()
    {
        var search = new BeamSearch(new BeamSettings(3, 1, false, 1, [1], [2]), maxTokens: 10);
        search.Advance([new TokenChoice(2, null, -0.5f, new TokenLogProb[] { new(2, -0.5f) })]);
        Assert.True(search.IsDone && search.IsEnded);
        Assert.Empty(BeamSearch.Ids(search.Best.Last));
        Assert.Equal(-0.5, search.Best.Score);
    }

    private static TokenChoice[] Ranked(BeamSearch search, BeamCase known, int step) =>
    [
        .. search.Running.Select(beam =>
        {
            TokenLogProb[] top = search.Ranking(beam).Rank(all.Models[known.Model].Logits(beam.Last?.Id ?? known.Start[^1], step));
            return new TokenChoice(top[0].Id, null, top[0].LogProb, top);
        }),
    ];

    private static void CheckBeams(BeamCaseStep expected, BeamSearch search)
    {
        if (search.IsDone && expected.Done)
            return;
        Assert.Equal(expected.Beams.Select(beam => ((int)beam[0], (int)beam[1])), search.Running.Select(beam => (beam.Parent, beam.Last!.Id)));
        Assert.All(expected.Beams.Zip(search.Running), pair => Assert.Equal(pair.First[2], pair.Second.Score, Tolerance));
    }
}
