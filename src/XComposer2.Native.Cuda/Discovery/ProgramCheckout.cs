namespace XComposer2.Native.Cuda;

/// <summary>
/// The checkout that a program was built in, whose files it may use without being told. It is marked by the solution file, and the program lies
/// in its <c>artifacts</c>. Other folders above a program belong to whoever may write there, and are not looked into.
/// </summary>
public static class ProgramCheckout
{
    private const string Marker = "XComposer2.Native.sln", Artifacts = "artifacts";

    /// <summary>The root of the checkout; null where the program lies elsewhere.</summary>
    /// <param name="programFolder">Of the program's files.</param>
    public static string? Find(string programFolder)
    {
        for (DirectoryInfo? folder = new(programFolder); folder?.Parent is { } above; folder = above)
            if (folder.Name == Artifacts)
                return File.Exists(Path.Combine(above.FullName, Marker)) ? above.FullName : null;
        return null;
    }
}
