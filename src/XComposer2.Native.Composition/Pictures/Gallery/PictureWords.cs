namespace XComposer2.Native.Composition.Pictures;

/// <summary>What is said of a picture outside its file.</summary>
internal sealed class PictureWords(FoundPicture picture, string sidecar)
{
    /// <summary>The caption beside it; empty where there is none.</summary>
    public string Sidecar { get; } = sidecar;

    /// <summary>Words of its name that mean something.</summary>
    public string Name { get; } = NameWords.Of(picture.Stem);

    /// <summary>Words of the folders it lies in: good to search in, but of all pictures there alike.</summary>
    public string Folders { get; } = string.Join(' ', picture.Folder.Split('/').Select(NameWords.Of).Where(words => words.Length > 0));

    /// <summary>Whether somebody has said what is in the picture, so that the model need not.</summary>
    public bool SayWhatIsShown => Sidecar.Length > 0 || Name.Length > 0;
}
