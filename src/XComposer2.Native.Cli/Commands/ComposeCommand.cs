using System.CommandLine;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 compose</c>.</summary>
internal static class ComposeCommand
{
    public const string HelpPage = $$"""
        Usage: xc2 compose --instruction TEXT | --title TEXT [options]

        Writes an article with pictures and puts it into a folder: a page to open or
        print (article.html), Markdown (article.md), a document (article.docx), its
        pictures, page and Markdown packed (article.zip), the candidates of each figure
        (candidates.html), and article.json, which xc2 edit works on. The text goes to
        standard output as it is written. Ctrl-C keeps the article so far.

        Article
          --instruction TEXT       what to write, in any words; - is standard input
          --title TEXT             what it is about; or with these
          --outline FILE|ask       a text, one point a line; ask: the model writes it,
                                   and you confirm or change it
          --material FILE          a text to write from; repeat for more

        Pictures
          -i, --image FILE         your own: written from, and each used once at most;
                                   PNG, JPEG, WebP, GIF, BMP or TIFF, a https://
                                   address, or - ; repeat for more, 10 at most
          --exif apply|ignore      whether your own are turned upright as the camera
                                   noted (apply)
          --picture-size N         longest side of stored pictures in pixels, 64 to
                                   16384 (1600)
          --originals              store pictures unchanged: full size, with metadata
                                   such as the GPS position
          --allow-private          addresses of pictures may lead to this machine or a
                                   private network
          -g, --gallery DIR        a folder to search for pictures. Nothing leaves the
                                   machine; what is learnt lies in DIR/.xc2-gallery
          --picture-service URL    a service to search instead; captions are sent to it
          --allow-host HOST        a host that may be connected to; repeat for more
          --figures auto|N         how many at most, 0 to 60; auto: the model
                                   decides (6, or the number of your own)
          --candidates N           pictures that the model chooses from, 1 to 10 (4)

        Model
        {{ModelOptions.HelpLines}}
          --greedy                 the most likely token, every time
          -t, --temperature T      0 for greedy (1)
          --top-p P                over 0, at most 1 (0.8)
          --top-k K                the K most likely tokens; 0 for all (40)
          --repetition-penalty R   over 0; 1 is none (1.005)
          --seed N                 the same seed gives the same article
          --max-tokens N           longest text (4096)
          --meta                   precede every prompt with the model's system text

        Output
          -o, --out DIR            the folder (article, or article-2, ... where it is)
          --force                  take over a folder that is there already
          --json                   one JSON object on standard output instead of text
          -v, --verbose            the device, and stack traces of errors

        Examples
          xc2 compose --instruction "Write about tea." --gallery ~/Pictures --out tea
          xc2 compose --title "中国水墨画" --material notes.txt --gallery art
          xc2 compose --instruction "My garden." --image a.jpg --image b.jpg
        """;

    public static Command Create(CliServices services, Option<bool> verbose)
    {
        Option<string?> instruction = new("--instruction");
        Option<string?> title = new("--title");
        Option<string?> outline = new("--outline");
        Option<string[]> material = new("--material") { Arity = ArgumentArity.OneOrMore };
        Option<string[]> images = new("--image", "-i") { Arity = ArgumentArity.OneOrMore };
        Option<int?> figures = CheckedOption.IntegerOrWord("--figures", 0, ArticleRequest.MaximumFigures, "auto", ArticleRequest.AutomaticFigures);
        Option<int?> maxTokens = CheckedOption.Integer("--max-tokens", 1);
        Option<string?> folder = new("--out", "-o");
        Option<bool> force = CheckedOption.Flag("--force");
        WritingOptions writing = new();
        DocumentedCommand command = new("compose", HelpPage) { instruction, title, outline, material, images, figures, maxTokens, folder, force };
        writing.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            ComposerOptions composer = writing.Composer(result);
            return new ComposeRun(services, new ComposeRequest
            {
                ModelPath = writing.ModelPath(result),
                Engine = writing.Engine(result),
                Composer = composer with { MaxArticleTokens = result.GetValue(maxTokens) ?? composer.MaxArticleTokens },
                Instruction = result.GetValue(instruction),
                Title = result.GetValue(title),
                Outline = result.GetValue(outline),
                Material = result.GetValue(material) ?? [],
                Images = result.GetValue(images) ?? [],
                Reader = writing.Reader(result, services.Console),
                Orientation = writing.Orientation(result),
                Pictures = writing.Pictures(result),
                Storage = writing.Storage(result) ?? PictureOptions.Default,
                Figures = result.GetValue(figures),
                Seed = writing.Seed(result),
                Folder = result.GetValue(folder),
                Force = result.GetValue(force),
                Json = writing.Json(result),
                Verbose = result.GetValue(verbose),
            }).RunAsync(cancellationToken);
        });
        return command;
    }
}
