namespace XComposer2.Native.Composition;

/// <summary>A picture in article.json; its bytes lie in the folder of pictures.</summary>
internal sealed record StoredPicture(string? File, string? MediaType, string? Source, string? Id, string? Name, string? Caption);
