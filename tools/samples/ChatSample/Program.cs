// Asks a model of this process about a picture, through Microsoft.Extensions.AI: ChatSample MODEL_FOLDER PICTURE [QUESTION]
using Microsoft.Extensions.AI;
using XComposer2.Native;
using XComposer2.Native.Extensions.AI;

if (args.Length is not (2 or 3))
{
    Console.Error.WriteLine("usage: ChatSample MODEL_FOLDER PICTURE [QUESTION]");
    return 2;
}

string mediaType = Path.GetExtension(args[1]).ToLowerInvariant() is ".jpg" or ".jpeg" ? "image/jpeg" : "image/png";
using var client = new XComposerChatClient(await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = args[0] }), ownsEngine: true);
var question = new ChatMessage(ChatRole.User, [new DataContent(await File.ReadAllBytesAsync(args[1]), mediaType), new TextContent(args.Length == 3 ? args[2] : "Describe this image.")]);
UsageDetails usage = new();
await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync([question], new ChatOptions { Temperature = 0, MaxOutputTokens = 200 }))
{
    Console.Write(update.Text);
    foreach (UsageContent counted in update.Contents.OfType<UsageContent>())
        usage.Add(counted.Details);
}

Console.WriteLine($"\n({usage.InputTokenCount} + {usage.OutputTokenCount} tokens)");
return 0;
