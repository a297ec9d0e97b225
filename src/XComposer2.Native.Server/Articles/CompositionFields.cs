using System.Text.Json;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>Reads requests about articles.</summary>
/// <param name="request">One request.</param>
internal sealed class CompositionFields(ApiRequest request)
{
    private const int MaximumMaterials = 64, MaximumLine = 4096, MaximumName = 255;

    private static readonly (EditOperands Operand, string Field)[] operandFields =
    [
        (EditOperands.Section, "section"), (EditOperands.Instruction, "instruction"), (EditOperands.Caption, "caption"), (EditOperands.AlternativeText, "alternative_text"),
        (EditOperands.Title, "title"), (EditOperands.Target, "to"), (EditOperands.Picture, "picture"), (EditOperands.Candidate, "candidate"), (EditOperands.Figures, "figures"),
    ];

    private readonly RequestFields fields = request.Fields;

    public bool IsStream { get; } = request.Fields.Flag("stream");

    /// <summary>Drawn where the request has none, short enough to type.</summary>
    public ulong Seed { get; } = request.Fields.Seed("seed") ?? (ulong)Random.Shared.Next(1, 1_000_000_000);

    /// <exception cref="ApiException">It is absent or empty.</exception>
    public string Title => fields.RequiredText("title") is var title && !string.IsNullOrWhiteSpace(title) ? title : throw ApiException.Invalid("title", "title: expected a text, found an empty one");

    /// <exception cref="ApiException">There is too much.</exception>
    public IReadOnlyList<string> Material
    {
        get
        {
            string[] texts = [.. fields.Elements("material", MaximumMaterials).Select(element => RequestFields.TextOf(element.Value, element.Name))];
            return texts.Sum(text => text.Length) <= RequestFields.MaximumTextLength ? texts : throw ApiException.Unexpected("material", $"at most {RequestFields.MaximumTextLength} characters", "more");
        }
    }

    /// <summary>The instruction of an article and its title, which is empty for one that has only an instruction.</summary>
    /// <param name="englishPrompt">Wording of the model.</param>
    /// <exception cref="ApiException">There are both or none.</exception>
    public (string Instruction, string Title) Subject(string? englishPrompt)
    {
        if (fields.Has("title") == fields.Has("instruction"))
            throw ApiException.Invalid("title", "expected title or instruction, and not both");
        if (fields.Text("instruction") is { } instruction)
        {
            if (string.IsNullOrWhiteSpace(instruction))
                throw ApiException.Invalid("instruction", "instruction: expected a text, found an empty one");
            string? stray = fields.Has("outline") ? "outline" : fields.Has("material") ? "material" : null;
            return stray is null ? (instruction, "") : throw ApiException.Invalid(stray, $"{stray} belongs to title, not to instruction");
        }

        string title = Title;
        return (ArticleInstruction.Of(title, Outline(), Material, englishPrompt), title);
    }

    /// <summary>How the model is asked.</summary>
    /// <param name="isEdit">max_tokens limits a section, not the whole text.</param>
    /// <exception cref="ApiException">A field is out of range.</exception>
    public ComposerOptions Options(bool isEdit)
    {
        var defaults = new ComposerOptions();
        int? limit = fields.Integer("max_tokens", 1, int.MaxValue);
        return defaults with
        {
            Sampling = SamplingFields.ReadChoice(fields, defaults.Sampling),
            MaxArticleTokens = isEdit ? defaults.MaxArticleTokens : limit ?? defaults.MaxArticleTokens,
            MaxEditTokens = isEdit ? limit ?? defaults.MaxEditTokens : defaults.MaxEditTokens,
            Candidates = fields.Integer("candidates", 1, ArticleRequest.MaximumOwnPictures) ?? defaults.Candidates,
            Meta = fields.Flag("meta"),
        };
    }

    /// <summary>As in <see cref="ArticleRequest.Figures"/>.</summary>
    /// <param name="minimum">0 where an article may have none.</param>
    /// <exception cref="ApiException">Out of range.</exception>
    public int? Figures(int minimum) => fields.TryGet("figures", out JsonElement value) && value.ValueKind == JsonValueKind.String && value.ValueEquals("auto")
        ? ArticleRequest.AutomaticFigures
        : fields.Integer("figures", minimum, ArticleRequest.MaximumFigures);

    /// <exception cref="ApiException">Out of range.</exception>
    public PictureOptions Storage() => new() { MaximumSide = fields.Integer("picture_size", PictureOptions.SmallestSide, PictureOptions.LargestSide) ?? PictureOptions.DefaultSide };

    /// <summary>The user's own pictures, ready to be stored.</summary>
    /// <exception cref="ApiException">There are too many, or one is unusable.</exception>
    public async Task<IReadOnlyList<ArticlePicture>> PicturesAsync(PictureOptions storage)
    {
        var pictures = new List<ArticlePicture>();
        foreach ((JsonElement value, string name) in fields.Elements("pictures", ArticleRequest.MaximumOwnPictures))
            pictures.Add(await PictureAsync(value, name, storage).ConfigureAwait(false));
        return pictures;
    }

    /// <summary>A change of an article.</summary>
    /// <param name="storage">How the article stores pictures.</param>
    /// <exception cref="ApiException">A field is absent, out of range, or belongs to another operation.</exception>
    public async Task<ArticleEdit> EditAsync(PictureOptions storage)
    {
        string word = fields.RequiredText("op");
        if (ArticleEdit.Find(word) is not { } operation)
            throw ApiException.Unexpected("op", string.Join(", ", ArticleEdit.Words.Select(known => known.Word)), RequestFields.Quote(word));
        (EditOperands taken, EditOperands required) = ArticleEdit.OperandsOf(operation);
        foreach ((EditOperands operand, string field) in operandFields)
        {
            if (required.HasFlag(operand) && !fields.Has(field))
                throw ApiException.Invalid(field, $"{word} needs {field}");
            if (!taken.HasFlag(operand) && fields.Has(field))
                throw ApiException.Invalid(field, $"{word} does not take {field}");
        }

        return new ArticleEdit
        {
            Operation = operation,
            Section = fields.Integer("section", 1, int.MaxValue),
            Instruction = fields.Text("instruction"),
            Caption = fields.Text("caption", MaximumLine),
            AlternativeText = fields.Text("alternative_text", MaximumLine),
            Title = fields.Text("title", MaximumLine),
            Target = fields.Integer("to", 1, int.MaxValue),
            Candidate = fields.Integer("candidate", 1, int.MaxValue),
            Figures = Figures(minimum: 1),
            Picture = fields.TryGet("picture", out JsonElement picture) ? await PictureAsync(picture, "picture", storage).ConfigureAwait(false) : null,
        };
    }

    private string Outline()
    {
        if (!fields.TryGet("outline", out JsonElement outline))
            return "";
        return outline.ValueKind == JsonValueKind.String
            ? RequestFields.TextOf(outline, "outline")
            : string.Join('\n', fields.Elements("outline", ArticleOutline.MaximumPoints).Select(point => RequestFields.TextOf(point.Value, point.Name, MaximumLine).ReplaceLineEndings(" ")));
    }

    private async Task<ArticlePicture> PictureAsync(JsonElement value, string name, PictureOptions storage)
    {
        string field = name, file = "picture";
        if (value.ValueKind == JsonValueKind.Object)
        {
            RequestFields nested = RequestFields.Of(value, name);
            field = nested.NameOf("image");
            file = nested.Text("name", MaximumName) is { Length: > 0 } given ? given : file;
            if (!nested.TryGet("image", out value))
                throw ApiException.Invalid(field, $"{field} is required");
        }

        byte[] bytes = await request.Server.Pictures.FileAsync(new PictureReference(value, field), request.Ended).ConfigureAwait(false);
        try
        {
            return ArticlePicture.Own(file, bytes, options: storage);
        }
        catch (ImageException error)
        {
            throw ApiException.Invalid(field, error.Message, "invalid_image");
        }
    }
}
