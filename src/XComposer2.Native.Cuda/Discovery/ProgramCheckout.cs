namespace XComposer2.Native.Cuda;

/// <summary>
/// The checkout that a program was built in. It contains the solution file, and the program is in its <c>artifacts</c> folder. Other parent folders
/// are untrusted and never searched.
/// </summary>
public static class ProgramCheckout
{
    private const string Marker = "XComposer2.Native.sln", Artifacts = "artifacts";

    /// <summary>The root of the checkout; null if the program is elsewhere.</summary>
    /// <param name="programFolder">Folder of the program's files.</param>
    public static string? Find(string programFolder)
    {
        for (DirectoryInfo? folder = new(programFolder); folder?.Parent is { } above; folder = above)
            if (folder.Name == Artifacts)
                return File.Exists(Path.Combine(above.FullName, Marker)) ? above.FullName : null;
        return null;
    }
}
