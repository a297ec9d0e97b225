namespace XComposer2.Native.Composition;

/// <summary>What a block of an article is.</summary>
internal enum BlockKind
{
    Heading,
    Paragraph,
    Bullet,
    Numbered,
    Figure,
}
