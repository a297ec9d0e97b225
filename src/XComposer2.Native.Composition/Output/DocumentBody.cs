using System.Globalization;
using System.Xml;

namespace XComposer2.Native.Composition.Output;

/// <summary>Writes word/document.xml. All texts are written by the XML writer, which escapes them.</summary>
internal sealed class DocumentBody(ArticleLayout layout, DocumentPictures pictures)
{
    private const string W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    private const string R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Wp = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing";
    private const string A = "http://schemas.openxmlformats.org/drawingml/2006/main";
    private const string Pic = "http://schemas.openxmlformats.org/drawingml/2006/picture";

    /// <summary>Units of a drawing (EMU) per pixel at 96 dpi.</summary>
    private const long UnitsPerPixel = 9525;

    /// <summary>A4 without margins, 16 cm wide; a picture with its caption and some text fit on a page.</summary>
    private const long MostWide = 5_760_000, MostHigh = 5_400_000;

    private int drawings;

    public void Write(Stream stream)
    {
        using XmlWriter xml = XmlWriter.Create(stream, DocumentXml.Settings);
        xml.WriteStartElement("w", "document", W);
        xml.WriteAttributeString("xmlns", "r", null, R);
        xml.WriteAttributeString("xmlns", "wp", null, Wp);
        xml.WriteStartElement("w", "body", W);
        if (layout.Title.Length > 0)
            WriteParagraph(xml, "Title", [new TextSpan(layout.Title, TextEmphasis.None)]);
        ListNumbers lists = new();
        foreach (ArticleBlock block in layout.Blocks)
            WriteBlock(xml, block, lists.Of(block));
        WriteSectionProperties(xml);
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private void WriteBlock(XmlWriter xml, ArticleBlock block, int? list)
    {
        switch (block.Kind)
        {
            case BlockKind.Heading:
                WriteParagraph(xml, string.Create(CultureInfo.InvariantCulture, $"Heading{block.Level - 1}"), block.Text);
                break;
            case BlockKind.Bullet or BlockKind.Numbered:
                WriteParagraph(xml, "ListParagraph", block.Text, list);
                break;
            case BlockKind.Figure:
                WriteFigure(xml, block, block.Picture!);
                break;
            default:
                WriteParagraph(xml, null, block.Text);
                break;
        }
    }

    private static void WriteParagraph(XmlWriter xml, string? style, IReadOnlyList<TextSpan> spans, int? list = null)
    {
        xml.WriteStartElement("w", "p", W);
        if (style is not null)
        {
            xml.WriteStartElement("w", "pPr", W);
            WriteValue(xml, "pStyle", style);
            if (list is { } number)
            {
                xml.WriteStartElement("w", "numPr", W);
                WriteValue(xml, "ilvl", "0");
                WriteValue(xml, "numId", number.ToString(CultureInfo.InvariantCulture));
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        foreach (TextSpan span in spans)
            WriteRun(xml, span);
        xml.WriteEndElement();
    }

    private static void WriteRun(XmlWriter xml, TextSpan span)
    {
        xml.WriteStartElement("w", "r", W);
        if (span.Emphasis != TextEmphasis.None)
        {
            xml.WriteStartElement("w", "rPr", W);
            foreach (string name in span.Emphasis == TextEmphasis.Strong ? (string[])["b", "bCs"] : ["i", "iCs"])
            {
                xml.WriteStartElement("w", name, W);
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        xml.WriteStartElement("w", "t", W);
        xml.WriteAttributeString("xml", "space", "http://www.w3.org/XML/1998/namespace", "preserve");
        xml.WriteString(DocumentXml.Text(span.Text));
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private void WriteFigure(XmlWriter xml, ArticleBlock block, ArticlePicture shown)
    {
        DocumentPicture picture = pictures[shown];
        xml.WriteStartElement("w", "p", W);
        xml.WriteStartElement("w", "pPr", W);
        WriteValue(xml, "pStyle", block.Text.Count > 0 ? "Figure" : "LastFigure");
        xml.WriteEndElement();
        xml.WriteStartElement("w", "r", W);
        xml.WriteStartElement("w", "drawing", W);
        WriteInline(xml, picture, DocumentXml.Text(block.Alternative));
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteEndElement();
        if (block.Text.Count > 0)
            WriteParagraph(xml, "Caption", block.Text);
    }

    private void WriteInline(XmlWriter xml, DocumentPicture picture, string alternative)
    {
        (string width, string height) = Extent(picture);
        string number = (++drawings).ToString(CultureInfo.InvariantCulture);
        xml.WriteStartElement("wp", "inline", Wp);
        foreach (string side in (ReadOnlySpan<string>)["distT", "distB", "distL", "distR"])
            xml.WriteAttributeString(side, "0");
        WriteSize(xml, "wp", "extent", Wp, width, height);
        xml.WriteStartElement("wp", "docPr", Wp);
        WriteName(xml, number, alternative);
        xml.WriteEndElement();
        xml.WriteStartElement("a", "graphic", A);
        xml.WriteStartElement("a", "graphicData", A);
        xml.WriteAttributeString("uri", Pic);
        xml.WriteStartElement("pic", "pic", Pic);
        xml.WriteStartElement("pic", "nvPicPr", Pic);
        xml.WriteStartElement("pic", "cNvPr", Pic);
        WriteName(xml, number, alternative);
        xml.WriteEndElement();
        xml.WriteElementString("pic", "cNvPicPr", Pic, "");
        xml.WriteEndElement();
        xml.WriteStartElement("pic", "blipFill", Pic);
        xml.WriteStartElement("a", "blip", A);
        xml.WriteAttributeString("r", "embed", R, picture.RelationshipId);
        xml.WriteEndElement();
        xml.WriteStartElement("a", "stretch", A);
        xml.WriteElementString("a", "fillRect", A, "");
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteStartElement("pic", "spPr", Pic);
        xml.WriteStartElement("a", "xfrm", A);
        xml.WriteStartElement("a", "off", A);
        xml.WriteAttributeString("x", "0");
        xml.WriteAttributeString("y", "0");
        xml.WriteEndElement();
        WriteSize(xml, "a", "ext", A, width, height);
        xml.WriteEndElement();
        xml.WriteStartElement("a", "prstGeom", A);
        xml.WriteAttributeString("prst", "rect");
        xml.WriteElementString("a", "avLst", A, "");
        xml.WriteEndElement();
        for (int open = 0; open < 5; open++)
            xml.WriteEndElement();
    }

    private static void WriteName(XmlWriter xml, string number, string alternative)
    {
        xml.WriteAttributeString("id", number);
        xml.WriteAttributeString("name", $"Picture {number}");
        xml.WriteAttributeString("descr", alternative);
    }

    private static void WriteSize(XmlWriter xml, string prefix, string name, string space, string width, string height)
    {
        xml.WriteStartElement(prefix, name, space);
        xml.WriteAttributeString("cx", width);
        xml.WriteAttributeString("cy", height);
        xml.WriteEndElement();
    }

    /// <summary>96 dpi, or smaller to fit on the page.</summary>
    private static (string Width, string Height) Extent(DocumentPicture picture)
    {
        double width = picture.Width * UnitsPerPixel, height = picture.Height * UnitsPerPixel;
        double factor = Math.Min(1, Math.Min(MostWide / width, MostHigh / height));
        return (Units(width), Units(height));

        string Units(double length) => Math.Max(1, (long)(length * factor)).ToString(CultureInfo.InvariantCulture);
    }

    private static void WriteSectionProperties(XmlWriter xml)
    {
        xml.WriteStartElement("w", "sectPr", W);
        WriteAttributes(xml, "pgSz", ("w", "11906"), ("h", "16838"));
        WriteAttributes(xml, "pgMar", ("top", "1418"), ("right", "1417"), ("bottom", "1418"), ("left", "1417"), ("header", "709"), ("footer", "709"), ("gutter", "0"));
        xml.WriteEndElement();
    }

    private static void WriteValue(XmlWriter xml, string name, string value) => WriteAttributes(xml, name, ("val", value));

    private static void WriteAttributes(XmlWriter xml, string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        xml.WriteStartElement("w", name, W);
        foreach ((string attribute, string value) in attributes)
            xml.WriteAttributeString("w", attribute, W, value);
        xml.WriteEndElement();
    }
}

/// <summary>Assigns list numbers: all bullets share one; each run of numbered items that does not continue the last one has its own.</summary>
internal sealed class ListNumbers
{
    /// <summary>The number of bullets.</summary>
    public const int Bullets = 1;

    private int last = Bullets;
    private int expected;

    /// <summary>First numbers of the numbered lists so far, by list number minus two.</summary>
    public List<int> Starts { get; } = [];

    /// <summary>The list of a block; null if it is not an item.</summary>
    public int? Of(ArticleBlock block)
    {
        if (block.Kind == BlockKind.Bullet)
            return Bullets;
        if (block.Kind != BlockKind.Numbered)
            return null;
        if (block.Level != expected || last == Bullets)
        {
            last++;
            Starts.Add(block.Level);
        }
        expected = block.Level + 1;
        return last;
    }
}
