namespace XComposer2.Native.Composition;

/// <summary>Whose doing it was that a step did not go as hoped.</summary>
public enum NoteCause
{
    /// <summary>The model's answer could not be used, or not all of it.</summary>
    Model,

    /// <summary>The source of pictures had none, or damaged ones.</summary>
    Pictures,

    /// <summary>A limit was reached: of the context, of sections, of places.</summary>
    Limit,
}
