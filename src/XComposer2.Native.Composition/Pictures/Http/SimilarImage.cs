namespace XComposer2.Native.Composition.Pictures;

/// <summary>A picture that a service names.</summary>
/// <param name="Id">Its index in the service, in digits.</param>
/// <param name="Address">Absolute; not checked yet.</param>
internal sealed record SimilarImage(string Id, Uri Address);
