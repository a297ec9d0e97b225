namespace XComposer2.Native.Model;

/// <summary>The encodings that <see cref="ImageDecoder"/> reads.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    Bmp,
    Gif,
}
