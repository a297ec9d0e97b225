using System.Globalization;
using System.Text;

namespace XComposer2.Native.Composition.Output;

/// <summary>Styles and lists of the document: plain, with the fonts of the word processor, for readers to change.</summary>
internal static class DocumentStyles
{
    private const string W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

    /// <summary>The language as a word processor expects it.</summary>
    public static string LanguageTag(string language) => language switch
    {
        TextLanguage.Chinese => "zh-CN",
        "ja" => "ja-JP",
        "ko" => "ko-KR",
        _ => "en-GB",
    };

    /// <summary>word/styles.xml.</summary>
    public static string Styles(string language)
    {
        bool isWestern = language == TextLanguage.English;
        string tags = isWestern ? "w:val=\"en-GB\" w:eastAsia=\"zh-CN\"" : $"w:val=\"en-GB\" w:eastAsia=\"{LanguageTag(language)}\"";
        return $"""
            <w:styles xmlns:w="{W}">
            <w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Cambria" w:hAnsi="Cambria" w:eastAsia="Noto Serif CJK SC" w:cs="Times New Roman"/><w:sz w:val="22"/><w:szCs w:val="22"/><w:lang {tags} w:bidi="ar-SA"/></w:rPr></w:rPrDefault>
            <w:pPrDefault><w:pPr><w:spacing w:after="160" w:line="300" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>
            <w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/><w:pPr><w:widowControl/></w:pPr></w:style>
            {Heading("Title", "Title", null, 0, 240, 48)}
            {Heading("Heading1", "heading 1", 0, 360, 120, 32)}
            {Heading("Heading2", "heading 2", 1, 280, 100, 26)}
            {Heading("Heading3", "heading 3", 2, 240, 80, 23)}
            <w:style w:type="paragraph" w:styleId="ListParagraph"><w:name w:val="List Paragraph"/><w:basedOn w:val="Normal"/><w:qFormat/><w:pPr><w:spacing w:after="80"/><w:ind w:left="720"/></w:pPr></w:style>
            <w:style w:type="paragraph" w:customStyle="1" w:styleId="Figure"><w:name w:val="Figure"/><w:basedOn w:val="Normal"/><w:next w:val="Caption"/><w:pPr><w:keepNext/><w:spacing w:before="200" w:after="80" w:line="240" w:lineRule="auto"/><w:jc w:val="center"/></w:pPr></w:style>
            <w:style w:type="paragraph" w:customStyle="1" w:styleId="LastFigure"><w:name w:val="Figure without caption"/><w:basedOn w:val="Figure"/><w:pPr><w:keepNext w:val="0"/><w:spacing w:after="240"/></w:pPr></w:style>
            <w:style w:type="paragraph" w:styleId="Caption"><w:name w:val="caption"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:qFormat/><w:pPr><w:keepLines/><w:spacing w:after="240" w:line="252" w:lineRule="auto"/><w:jc w:val="center"/></w:pPr><w:rPr><w:color w:val="595959"/><w:sz w:val="19"/><w:szCs w:val="19"/></w:rPr></w:style>
            </w:styles>
            """;
    }

    /// <summary>word/numbering.xml: bullets, and one list for each run of numbered items.</summary>
    public static string Numbering(ArticleLayout layout)
    {
        ListNumbers numbers = new();
        foreach (ArticleBlock block in layout.Blocks)
            _ = numbers.Of(block);
        StringBuilder text = new($"<w:numbering xmlns:w=\"{W}\">");
        text.Append("<w:abstractNum w:abstractNumId=\"0\"><w:multiLevelType w:val=\"singleLevel\"/>").Append(Level("bullet", "•", 1)).Append("</w:abstractNum>");
        for (int list = 0; list < numbers.Starts.Count; list++)
            text.Append(CultureInfo.InvariantCulture, $"<w:abstractNum w:abstractNumId=\"{list + 1}\"><w:multiLevelType w:val=\"singleLevel\"/>{Level("decimal", "%1.", numbers.Starts[list])}</w:abstractNum>");
        for (int list = 0; list <= numbers.Starts.Count; list++)
            text.Append(CultureInfo.InvariantCulture, $"<w:num w:numId=\"{list + 1}\"><w:abstractNumId w:val=\"{list}\"/></w:num>");
        return text.Append("</w:numbering>").ToString();
    }

    private static string Level(string format, string text, int start) => string.Create(
        CultureInfo.InvariantCulture,
        $"<w:lvl w:ilvl=\"0\"><w:start w:val=\"{start}\"/><w:numFmt w:val=\"{format}\"/><w:lvlText w:val=\"{text}\"/><w:lvlJc w:val=\"left\"/><w:pPr><w:ind w:left=\"720\" w:hanging=\"360\"/></w:pPr></w:lvl>");

    private static string Heading(string id, string name, int? outline, int before, int after, int halfPoints) => string.Create(
        CultureInfo.InvariantCulture,
        $"<w:style w:type=\"paragraph\" w:styleId=\"{id}\"><w:name w:val=\"{name}\"/><w:basedOn w:val=\"Normal\"/><w:next w:val=\"Normal\"/><w:qFormat/><w:pPr><w:keepNext/><w:keepLines/><w:spacing w:before=\"{before}\" w:after=\"{after}\" w:line=\"252\" w:lineRule=\"auto\"/>{(outline is { } level ? $"<w:outlineLvl w:val=\"{level}\"/>" : "")}</w:pPr><w:rPr><w:b/><w:bCs/><w:sz w:val=\"{halfPoints}\"/><w:szCs w:val=\"{halfPoints}\"/></w:rPr></w:style>");
}
