using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Output;

/// <summary>
/// Writes an article as a word processor's document (Office Open XML, .docx): headings and lists as styles, pictures with alternative texts and captions.
/// The same article gives the same bytes.
/// </summary>
public static class ArticleDocument
{
    /// <summary>Default file name.</summary>
    public const string FileName = "article.docx";

    private const string RelationshipTypes = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    // The earliest time a zip can state: the file does not tell when it was written.
    private static readonly DateTimeOffset moment = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the document.</summary>
    public static void Write(Article article, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(stream);
        ArticleLayout layout = ArticleLayout.Of(article);
        DocumentPictures pictures = new(layout);
        using ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true);
        AddText(archive, "[Content_Types].xml", ContentTypes(pictures));
        AddText(archive, "_rels/.rels", $"""
            <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{RelationshipTypes}/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>
            """);
        Add(archive, "docProps/core.xml", CompressionLevel.Optimal, entry => WriteProperties(entry, layout));
        Add(archive, "word/document.xml", CompressionLevel.Optimal, entry => new DocumentBody(layout, pictures).Write(entry));
        AddText(archive, "word/styles.xml", DocumentStyles.Styles(layout.Language));
        AddText(archive, "word/numbering.xml", DocumentStyles.Numbering(layout));
        AddText(archive, "word/_rels/document.xml.rels", Relationships(pictures));
        foreach (DocumentPicture picture in pictures.All)
            Add(archive, $"word/media/{picture.FileName}", CompressionLevel.NoCompression, entry => entry.Write(picture.Bytes.Span));
    }

    private static string ContentTypes(DocumentPictures pictures)
    {
        StringBuilder text = new("<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">");
        text.Append("<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>");
        foreach (DocumentPicture picture in pictures.All.DistinctBy(picture => picture.MediaType))
            text.Append(CultureInfo.InvariantCulture, $"<Default Extension=\"{Path.GetExtension(picture.FileName)[1..]}\" ContentType=\"{picture.MediaType}\"/>");
        foreach ((string part, string type) in (ReadOnlySpan<(string, string)>)[("document", "document.main"), ("styles", "styles"), ("numbering", "numbering")])
            text.Append(CultureInfo.InvariantCulture, $"<Override PartName=\"/word/{part}.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.{type}+xml\"/>");
        return text.Append("<Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>").ToString();
    }

    private static string Relationships(DocumentPictures pictures)
    {
        StringBuilder text = new("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">");
        foreach (string part in (ReadOnlySpan<string>)["styles", "numbering"])
            text.Append(CultureInfo.InvariantCulture, $"<Relationship Id=\"{part}\" Type=\"{RelationshipTypes}/{part}\" Target=\"{part}.xml\"/>");
        foreach (DocumentPicture picture in pictures.All)
            text.Append(CultureInfo.InvariantCulture, $"<Relationship Id=\"{picture.RelationshipId}\" Type=\"{RelationshipTypes}/image\" Target=\"media/{picture.FileName}\"/>");
        return text.Append("</Relationships>").ToString();
    }

    private static void WriteProperties(Stream entry, ArticleLayout layout)
    {
        using XmlWriter xml = XmlWriter.Create(entry, DocumentXml.Settings);
        xml.WriteStartElement("cp", "coreProperties", "http://schemas.openxmlformats.org/package/2006/metadata/core-properties");
        xml.WriteElementString("dc", "title", "http://purl.org/dc/elements/1.1/", DocumentXml.Text(layout.Title));
        xml.WriteElementString("dc", "language", "http://purl.org/dc/elements/1.1/", DocumentStyles.LanguageTag(layout.Language));
        xml.WriteEndElement();
    }

    private static void AddText(ZipArchive archive, string name, string xml) =>
        Add(archive, name, CompressionLevel.Optimal, entry => entry.Write(Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n{xml.Trim()}\n")));

    private static void Add(ZipArchive archive, string name, CompressionLevel level, Action<Stream> write)
    {
        ZipArchiveEntry entry = archive.CreateEntry(name, level);
        entry.LastWriteTime = moment;
        using Stream content = entry.Open();
        write(content);
    }
}

/// <summary>A picture of a document.</summary>
/// <param name="FileName">In the folder of media.</param>
/// <param name="RelationshipId">Its reference in the document.</param>
/// <param name="MediaType">PNG, JPEG, GIF or BMP.</param>
/// <param name="Bytes">The file.</param>
/// <param name="Width">Upright width in pixels.</param>
/// <param name="Height">Upright height in pixels.</param>
internal sealed record DocumentPicture(string FileName, string RelationshipId, string MediaType, ReadOnlyMemory<byte> Bytes, long Width, long Height);

/// <summary>The distinct pictures of a document, in order of appearance.</summary>
internal sealed class DocumentPictures
{
    private readonly Dictionary<string, DocumentPicture> byFile = new(StringComparer.Ordinal);

    public DocumentPictures(ArticleLayout layout)
    {
        foreach (ArticlePicture picture in layout.Blocks.Select(block => block.Picture).OfType<ArticlePicture>())
            if (!byFile.ContainsKey(picture.FileName))
                byFile.Add(picture.FileName, Of(picture, $"picture{byFile.Count + 1}"));
    }

    public IEnumerable<DocumentPicture> All => byFile.Values;

    public DocumentPicture this[ArticlePicture picture] => byFile[picture.FileName];

    /// <summary>Word processors do not all show WebP or apply the EXIF orientation; such a picture is re-encoded.</summary>
    private static DocumentPicture Of(ArticlePicture picture, string id)
    {
        ImageHeader size = ImageHeader.ReadUpright(picture.Bytes, picture.Name);
        if (size.Format != ImageFormat.WebP && !ImageHeader.IsTurned(picture.Bytes, picture.Name))
            return new DocumentPicture(picture.FileName, id, picture.MediaType, picture.Bytes, size.Width, size.Height);
        RgbImage image = ImageDecoder.Decode(picture.Bytes, picture.Name, ImageLimits.Default, ExifOrientation.Apply);
        bool isLossless = ImageMetadata.IsLossless(picture.Bytes, size.Format);
        byte[] bytes = isLossless ? PngEncoder.Encode(image) : JpegEncoder.Encode(image);
        return new DocumentPicture(Path.ChangeExtension(picture.FileName, isLossless ? "png" : "jpg"), id, isLossless ? "image/png" : "image/jpeg", bytes, image.Width, image.Height);
    }
}

/// <summary>Settings and texts of the XML parts.</summary>
internal static class DocumentXml
{
    public static XmlWriterSettings Settings => new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), CloseOutput = false, NewLineChars = "\n" };

    /// <summary>The text without characters that XML cannot contain.</summary>
    public static string Text(string text)
    {
        StringBuilder clean = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            if (rune.Value is '\t' or >= 0x20 and not (0xFFFE or 0xFFFF))
                clean.Append(rune);
        return clean.ToString();
    }
}
