using System.CommandLine;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 edit</c>.</summary>
internal static class EditCommand
{
    public const string HelpPage = $$"""
        Usage: xc2 edit --article DIR [--section N] [--op OPERATION] [options]

        Changes an article that xc2 compose made. Without --op: its sections, numbered,
        and its changes. Every change can be undone, also after the folder was closed.

        Article
          --article DIR            its folder
          --section N              which section, from 1
          --op OPERATION           by the model
                                     rewrite, expand   with material: --instruction
                                     abbreviate
                                     insert-before, insert-after
                                                       from an outline: --instruction
                                     illustrate        all figures anew: --gallery, and
                                                       --figures N; no --section
                                     choose-figure     again among its candidates
                                     find-figure       --gallery, and a --caption or
                                                       the one that it has
                                     set-caption       and alternative text, from the
                                                       picture
                                   without the model
                                     set-title         to --title
                                     set-text          to --instruction, in Markdown:
                                                       each block is a section
                                     remove-section
                                     move-section      --to N
                                     choose-figure     --candidate N: candidates.html
                                                       shows them with their scores
                                     set-caption       to --caption, --alt or both
                                     replace-figure    --image FILE, with a --caption
                                                       and --alt
                                     remove-figure
                                     undo, redo        the last change; no --section
          --instruction TEXT       material, outline or text
          --title TEXT             title; "" for none
          --to N                   new number of the section, from 1
          --caption TEXT           what a picture is to show
          --alt TEXT               what it shows, for readers who cannot see it
          --candidate N            which of the pictures that were found, from 1
          -i, --image FILE         your own picture: PNG, JPEG, WebP, GIF, BMP or TIFF,
                                   a https:// address, or -
          --exif apply|ignore      whether it is turned upright as the camera noted
                                   (apply)
          --picture-size N         longest side of stored pictures, 64 to 16384
                                   (as the article has it)
          --originals              store pictures unchanged, with their metadata
          --allow-private          its address may lead to this machine or a private
                                   network
          --figures auto|N         how many at most, 1 to 60; auto: the model
                                   decides (6, or the number of your own)

        Pictures
          -g, --gallery DIR        a folder to search for pictures
          --picture-service URL    a service to search instead; captions are sent to it
          --allow-host HOST        a host that may be connected to; repeat for more
          --candidates N           pictures that the model chooses from, 1 to 10 (4)

        Model
        {{ModelOptions.HelpLines}}
          --greedy                 the most likely token, every time
          -t, --temperature T      0 for greedy (1)
          --top-p P                over 0, at most 1 (0.8)
          --top-k K                the K most likely tokens; 0 for all (40)
          --repetition-penalty R   over 0; 1 is none (1.005)
          --seed N                 the same seed gives the same change
          --max-tokens N           longest section (500)
          --meta                   precede every prompt with the model's system text

        Output
          --json                   one JSON object on standard output instead of text
          --verbose                the device, and stack traces of errors

        Examples
          xc2 edit --article tea
          xc2 edit --article tea --section 2 --op rewrite --instruction "green tea"
          xc2 edit --article tea --section 2 --op find-figure --gallery ~/Pictures
          xc2 edit --article tea --op undo
        """;

    public static Command Create(CliServices services, Option<bool> verbose)
    {
        Option<string?> article = new("--article");
        Option<int?> section = CheckedOption.Integer("--section", 1);
        Option<Composition.ArticleOperation?> operation = CheckedOption.Choice("--op", [.. Composition.ArticleEdit.Words]);
        Option<string?> instruction = new("--instruction");
        Option<string?> caption = new("--caption");
        Option<string?> alternative = new("--alt");
        Option<string?> title = new("--title");
        Option<int?> target = CheckedOption.Integer("--to", 1);
        Option<int?> candidate = CheckedOption.Integer("--candidate", 1);
        Option<string?> image = new("--image", "-i");
        Option<int?> figures = CheckedOption.IntegerOrWord("--figures", 1, Composition.ArticleRequest.MaximumFigures, "auto", Composition.ArticleRequest.AutomaticFigures);
        Option<int?> maxTokens = CheckedOption.Integer("--max-tokens", 1);
        WritingOptions writing = new();
        DocumentedCommand command = new("edit", HelpPage) { article, section, operation, instruction, caption, alternative, title, target, candidate, image, figures, maxTokens };
        writing.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            Composition.ComposerOptions composer = writing.Composer(result);
            return new EditRun(services, new EditRequest
            {
                ModelPath = writing.ModelPath(result),
                Engine = writing.Engine(result),
                Composer = composer with { MaxEditTokens = result.GetValue(maxTokens) ?? composer.MaxEditTokens },
                Folder = result.GetValue(article),
                Edit = EditOf(),
                Image = result.GetValue(image),
                Reader = writing.Reader(result, services.Console),
                Orientation = writing.Orientation(result),
                Pictures = writing.Pictures(result),
                Storage = writing.Storage(result),
                Seed = writing.Seed(result),
                Json = writing.Json(result),
                Verbose = result.GetValue(verbose),
            }).RunAsync(cancellationToken);

            ArticleEdit? EditOf()
            {
                if (result.GetValue(operation) is { } wanted)
                    return new ArticleEdit
                    {
                        Operation = wanted,
                        Section = result.GetValue(section),
                        Instruction = result.GetValue(instruction),
                        Caption = result.GetValue(caption),
                        AlternativeText = result.GetValue(alternative),
                        Title = result.GetValue(title),
                        Target = result.GetValue(target),
                        Candidate = result.GetValue(candidate),
                        Figures = result.GetValue(figures),
                    };
                return result.GetValue(section) is null ? null : throw new UsageException($"--op is missing: {string.Join(", ", ArticleEdit.Words.Select(word => word.Word))}");
            }
        });
        return command;
    }
}
