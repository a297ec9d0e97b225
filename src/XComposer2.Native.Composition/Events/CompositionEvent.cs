namespace XComposer2.Native.Composition;

/// <summary>What a running composition reports. The last <see cref="ArticleChanged"/> has the article so far, also where the rest fails or is cancelled.</summary>
public abstract record CompositionEvent;
