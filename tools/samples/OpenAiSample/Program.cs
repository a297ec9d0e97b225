// Asks a running xc2 serve about a picture, with OpenAI's own client: OpenAiSample http://127.0.0.1:8080 PICTURE [KEY]
using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

if (args.Length is not (2 or 3))
{
    Console.Error.WriteLine("usage: OpenAiSample ADDRESS PICTURE [KEY]");
    return 2;
}

string mediaType = Path.GetExtension(args[1]).ToLowerInvariant() is ".jpg" or ".jpeg" ? "image/jpeg" : "image/png";
var client = new ChatClient("any", new ApiKeyCredential(args.Length == 3 ? args[2] : "none"), new OpenAIClientOptions { Endpoint = new Uri(new Uri(args[0]), "/v1") });
var question = new UserChatMessage(
    ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(await File.ReadAllBytesAsync(args[1])), mediaType),
    ChatMessageContentPart.CreateTextPart("Describe this image."));
await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync([question], new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 200 }))
    foreach (ChatMessageContentPart part in update.ContentUpdate)
        Console.Write(part.Text);
Console.WriteLine();
return 0;
