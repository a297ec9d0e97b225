namespace XComposer2.Demo.Choosing;

/// <summary>What is asked about candidates, from dense tasks to the composition's choice.</summary>
public enum CandidateTask
{
    /// <summary>What each candidate shows: from letter to content.</summary>
    What,

    /// <summary>Which candidate shows each thing, asked after the list: from content to letter.</summary>
    Which,

    /// <summary>Whether a candidate shows a thing, yes or no, for each one.</summary>
    Check,

    /// <summary>Which candidate shows a thing, asked before the list.</summary>
    Find,

    /// <summary>Whether each candidate shows a thing that is named before the list, in the order of the list.</summary>
    Fit,

    /// <summary>The composition's prompt with nothing but the thing as its text.</summary>
    Match,

    /// <summary>The composition's prompt with one sentence as its text.</summary>
    Sentence,

    /// <summary>The composition's prompt: a beginning, perhaps earlier paragraphs with their pictures, and the paragraph that gets a picture.</summary>
    Select,
}

/// <summary>A task about candidates.</summary>
/// <param name="Task">What is asked.</param>
/// <param name="IsTold">Candidates in words instead of pictures.</param>
/// <param name="Candidates">Two to four; null for any of these.</param>
/// <param name="IsAlike">Candidates share colours and forms.</param>
/// <param name="IsNear">The thing is named once more after the list.</param>
public readonly record struct CandidateSetting(CandidateTask Task, bool IsTold, int? Candidates, bool IsAlike, bool IsNear)
{
    /// <summary>Fewest and most candidates.</summary>
    public const int Fewest = 2, Most = 4;

    /// <summary>"choose-select-told-3-alike-near": parts that are false or open are left out.</summary>
    public string Name => $"choose-{TaskName(Task)}{(IsTold ? "-told" : "")}{(Candidates is { } count ? $"-{count}" : "")}{(IsAlike ? "-alike" : "")}{(IsNear ? "-near" : "")}";

    /// <summary>All settings. Only tasks with the thing before the list can repeat it.</summary>
    public static IEnumerable<CandidateSetting> All =>
        from task in Enum.GetValues<CandidateTask>()
        from isTold in (bool[])[false, true]
        from count in (int?[])[null, .. Enumerable.Range(Fewest, Most - Fewest + 1)]
        from isAlike in (bool[])[false, true]
        from isNear in task >= CandidateTask.Find ? (bool[])[false, true] : [false]
        select new CandidateSetting(task, isTold, count, isAlike, isNear);

    private static string TaskName(CandidateTask task) => task switch
    {
        CandidateTask.What => "what",
        CandidateTask.Which => "which",
        CandidateTask.Check => "check",
        CandidateTask.Find => "find",
        CandidateTask.Fit => "fit",
        CandidateTask.Match => "match",
        CandidateTask.Sentence => "sentence",
        _ => "select",
    };
}
