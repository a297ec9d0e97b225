namespace XComposer2.Native.Graph;

public enum TensorRole : byte
{
    /// <summary>Written by the caller before each run; lives outside the arena.</summary>
    Input,

    /// <summary>Read-only, from the checkpoint; lives outside the arena.</summary>
    Weight,

    /// <summary>Made and consumed inside the graph; the planner places it in the arena.</summary>
    Temporary,

    /// <summary>Made inside the graph and kept in the arena, untouched, until the run has ended.</summary>
    Output,
}
