using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>Names of the form that <see cref="ArticlePicture.FileName"/> has: nothing else in an article's folder of pictures is ours.</summary>
internal static partial class PictureFileName
{
    public static bool IsOne(string name) => Pattern().IsMatch(name);

    [GeneratedRegex(@"\A[0-9a-f]{32}\.(png|jpg|gif|bmp)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
