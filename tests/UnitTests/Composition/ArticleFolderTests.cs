using System.Text;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Articles on disk: written atomically, restored exactly, validated when opened.</summary>
public sealed class ArticleFolderTests : IDisposable
{
    private static readonly ArticleOutput Plain = new("article.txt", (article, stream) => stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', article.Sections.Select(section => section.Text)))));

    private readonly string root = Directory.CreateTempSubdirectory("xc2-article").FullName;

    private string Folder => Path.Combine(root, "made", "article");

    private string Json => Path.Combine(Folder, "article.json");

    private static ArticleHistory History
    {
        get
        {
            Article article = new()
            {
                Instruction = "写一篇 \"short\" article </script>", Title = "A & B", Model = "scripted", Seed = ulong.MaxValue, OwnPictures = [CompositionPictures.Own(3)],
                Sections = [new("one"), new("二 ", CompositionPictures.Shown(0, 1)), new("three", new ArticleFigure { Caption = "not found yet" })],
            };
            article = article.WithNote(CompositionStep.Search, NoteCause.Pictures, "a note");
            return ArticleHistory.Begin(article).Apply("rewrite section 1", article.WithText(0, "1")).Apply("remove figure 2", article.WithoutFigure(1)).Undo();
        }
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Saved_article_round_trips()
    {
        ArticleFolder.Create(Folder, History, [Plain]);
        ArticleHistory opened = ArticleFolder.Open(Folder);

        Assert.Equal((1, 3), (opened.CurrentIndex, opened.States.Count));
        Assert.Equal(["compose", "rewrite section 1", "remove figure 2"], opened.States.Select(state => state.Change));
        Article article = opened.Current;
        Assert.Equal((History.Current.Instruction, "A & B", "scripted", ulong.MaxValue), (article.Instruction, article.Title, article.Model, article.Seed));
        Assert.Equal(["1", "二 ", "three"], article.Sections.Select(section => section.Text));
        Assert.Equal(["0.png", "1.png"], article.Sections[1].Figure!.Candidates.Select(picture => picture.Name));
        Assert.Equal(CompositionPictures.Bytes(0), article.Sections[1].Figure!.Picture!.Bytes.ToArray());
        Assert.Equal(("id-0", "shelf", "image/png"), (article.Sections[1].Figure!.Picture!.Id, article.Sections[1].Figure!.Picture!.Source, article.Sections[1].Figure!.Picture!.MediaType));
        Assert.Equal(("not found yet", null), (article.Sections[2].Figure!.Caption, article.Sections[2].Figure!.Picture));
        Assert.Equal("own-3.png", article.OwnPictures[0].Name);
        Assert.Equal(new ArticleNote(CompositionStep.Search, NoteCause.Pictures, "a note"), article.Notes[0]);
        Assert.Null(opened.Redo().Current.Sections[1].Figure);
        Assert.Equal("1\n二 \nthree", File.ReadAllText(Path.Combine(Folder, "article.txt")));
    }

    [Fact]
    public void Reopening_before_an_edit_gives_the_same_files()
    {
        ArticleFolder.Create(Folder, History, [Plain]);
        string other = Path.Combine(root, "other");
        ArticleHistory Edit(ArticleHistory history) => history.Apply("abbreviate section 3", history.Current.WithText(2, "3").WithFigure(0, CompositionPictures.Shown(4)));
        ArticleFolder.Save(Folder, Edit(ArticleFolder.Open(Folder)), [Plain]);
        ArticleFolder.Create(other, Edit(History), [Plain]);
        Assert.Equal(Files(other), Files(Folder));
        ArticleFolder.Save(Folder, ArticleFolder.Open(Folder), [Plain]);
        Assert.Equal(Files(other), Files(Folder));
    }

    [Fact]
    public void Existing_folder_is_rejected_without_overwrite()
    {
        ArticleFolder.Create(Folder, History, [Plain]);
        File.WriteAllText(Path.Combine(Folder, "mine.txt"), "mine");
        File.WriteAllText(Path.Combine(Folder, "pictures", "mine.png"), "mine");
        Dictionary<string, string> before = Files(Folder);
        Assert.Equal($"{Folder}: the folder exists already", Assert.Throws<ArticleFileException>(() => ArticleFolder.Create(Folder, History, [Plain])).Message);
        Assert.Equal(before, Files(Folder));

        ArticleFolder.Create(Folder, ArticleHistory.Begin(CompositionPictures.Article("new")), [Plain], overwrite: true);
        Assert.Equal(["article.json", "article.txt", "mine.txt", "pictures/mine.png"], Files(Folder).Keys.Order(StringComparer.Ordinal));
        Assert.Equal("new", ArticleFolder.Open(Folder).Current.Sections[0].Text);
        File.WriteAllText(Path.Combine(root, "file"), "");
        Assert.Throws<ArticleFileException>(() => ArticleFolder.Create(Path.Combine(root, "file"), History, [], overwrite: true));
    }

    [Fact]
    public void Failed_write_leaves_the_previous_state()
    {
        ArticleOutput failing = new("article.html", (_, stream) =>
        {
            stream.WriteByte(1);
            throw new IOException("disk full");
        });
        Assert.Throws<IOException>(() => ArticleFolder.Create(Folder, History, [Plain, failing]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(root));

        ArticleFolder.Create(Folder, History, [Plain]);
        Dictionary<string, string> before = Files(Folder);
        ArticleHistory changed = History.Apply("more", History.Current.WithFigure(0, CompositionPictures.Shown(6)));
        Assert.Throws<IOException>(() => ArticleFolder.Save(Folder, changed, [Plain, failing]));
        Assert.Equal(before, Files(Folder));
        Assert.Throws<ArticleFileException>(() => ArticleFolder.Save(root, changed, [Plain]));
    }

    public static TheoryData<string, string, string> Tampered => new()
    {
        { "\"xcomposer2-article\"", "\"other\"", "format: expected \"xcomposer2-article\", found \"other\"" },
        { "\"version\": 1", "\"version\": 2", "version: expected 1, found 2" },
        { "\"current\": 1", "\"current\": 7", "current: expected 0 to 2, found 7" },
        { "\"chosen\": 0", "\"chosen\": 2", "states[0].sections[1].figure.chosen: expected the index of one of 2 candidates, found 2" },
        { "\"text\": \"one\"", "\"text\": \"one\\ntwo\"", "states[0].sections[0].text: expected one line that is not empty, found \"one two\"" },
        { "\"text\": \"one\"", "\"text\": \" \"", "states[0].sections[0].text: expected one line that is not empty, found \"\"" },
        { "\"text\": \"one\"", "\"text\": null", "states[0].sections[0].text: expected a text, found none" },
        { "\"step\": \"Search\"", "\"step\": 99", "states[0].notes[0]: expected a step and a cause that are known, found 99, Pictures" },
        { "\"states\"", "\"stages\"", "states: expected 1 to 100 entries, found 0" },
        { "{", "[", "not an article's JSON, or cut off: $, line 1" },
        { "\"seed\": 18446744073709551615", "\"seed\": -1", "not an article's JSON, or cut off: $.seed, line 7" },
        { "\"title\": \"A & B\"", "\"title\": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "not an article's JSON, or cut off: $.title, line 4" },
    };

    [Theory]
    [MemberData(nameof(Tampered))]
    public void Modified_file_error_names_the_field(string old, string replacement, string message)
    {
        ArticleFolder.Create(Folder, History, []);
        string json = File.ReadAllText(Json);
        int at = json.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, json);
        File.WriteAllText(Json, json[..at] + replacement + json[(at + old.Length)..]);
        Assert.Equal($"{Json}: {message}", Assert.Throws<ArticleFileException>(() => ArticleFolder.Open(Folder)).Message);
    }

    [Theory]
    [InlineData("../secret.png")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("C:\\\\secret.png")]
    [InlineData("sub/0123456789abcdef0123456789abcdef.png")]
    [InlineData("0123456789abcdef0123456789abcdef.svg")]
    [InlineData("0123456789abcdef0123456789abcdef.png\\n")]
    public void File_name_outside_the_folder_is_rejected(string name)
    {
        ArticleFolder.Create(Folder, History, []);
        string file = CompositionPictures.Own(3).FileName;
        File.WriteAllText(Json, File.ReadAllText(Json).Replace(file, name, StringComparison.Ordinal));
        ArticleFileException error = Assert.Throws<ArticleFileException>(() => ArticleFolder.Open(Folder));
        Assert.StartsWith($"{Json}: pictures[0].file: expected 32 hexadecimal digits and .png, .jpg, .gif or .bmp, without folders, found ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_changed_empty_and_linked_pictures_are_rejected()
    {
        ArticleFolder.Create(Folder, History, []);
        string picture = Path.Combine(Folder, "pictures", CompositionPictures.Own(3).FileName);
        byte[] bytes = File.ReadAllBytes(picture);
        Assert.Equal($"{picture}: no such file", Refused(() => File.Delete(picture)));
        Assert.Equal($"{picture}: the file is empty", Refused(() => File.WriteAllText(picture, "")));
        Assert.EndsWith("not a picture: expected PNG, JPEG, WebP, GIF, BMP or TIFF; found bytes 68 65 6C 6C 6F", Refused(() => File.WriteAllText(picture, "hello")), StringComparison.Ordinal);
        Assert.Contains("the picture was changed", Refused(() => File.WriteAllBytes(picture, CompositionPictures.Bytes(7))), StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(root, "elsewhere.png"), bytes);
        Assert.Equal($"{picture}: is a link", Refused(() =>
        {
            File.Delete(picture);
            File.CreateSymbolicLink(picture, Path.Combine(root, "elsewhere.png"));
        }));
        File.Delete(picture);
        File.WriteAllBytes(picture, bytes);
        Directory.Move(Path.Combine(Folder, "pictures"), Path.Combine(root, "moved"));
        Assert.Equal($"{Path.Combine(Folder, "pictures")}: is a link", Refused(() => Directory.CreateSymbolicLink(Path.Combine(Folder, "pictures"), Path.Combine(root, "moved"))));
        Assert.Throws<ArticleFileException>(() => ArticleFolder.Save(Folder, History, []));
        Assert.Equal($"{Path.Combine(root, "article.json")}: no such file", Assert.Throws<ArticleFileException>(() => ArticleFolder.Open(root)).Message);

        string Refused(Action change)
        {
            change();
            return Assert.Throws<ArticleFileException>(() => ArticleFolder.Open(Folder)).Message;
        }
    }

    [Fact]
    public void Truncated_or_corrupted_file_never_crashes()
    {
        ArticleFolder.Create(Folder, History, []);
        byte[] json = File.ReadAllBytes(Json);
        Random random = new(5);
        for (int i = 0; i < 400; i++)
        {
            byte[] bad = i % 2 == 0 ? json[..random.Next(1, json.Length)] : [.. json];
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(Json, bad);
            try
            {
                Assert.NotEmpty(ArticleFolder.Open(Folder).States);
            }
            catch (ArticleFileException error)
            {
                Assert.NotEmpty(error.Message);
            }
        }
    }

    private static Dictionary<string, string> Files(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(folder, file), file => Convert.ToHexString(File.ReadAllBytes(file)));
}
