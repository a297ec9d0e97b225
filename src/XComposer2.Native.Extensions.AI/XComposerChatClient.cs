using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using XComposer2.Native.Model;

namespace XComposer2.Native.Extensions.AI;

/// <summary>A model as <see cref="IChatClient"/>. Pictures are <see cref="DataContent"/>, or <see cref="UriContent"/> with a data: or file: address. Options are
/// followed, or refused with a <see cref="NotSupportedException"/>; none is ignored. Thread-safe.</summary>
public sealed class XComposerChatClient : IChatClient
{
    private const string ProviderName = "xcomposer2.native";

    private readonly XComposerEngine engine;
    private readonly bool ownsEngine;
    private readonly ChatClientMetadata metadata;

    /// <param name="engine">Answers.</param>
    /// <param name="ownsEngine">Whether the engine is disposed with this client.</param>
    public XComposerChatClient(XComposerEngine engine, bool ownsEngine = false)
    {
        ArgumentNullException.ThrowIfNull(engine);
        this.engine = engine;
        this.ownsEngine = ownsEngine;
        metadata = new ChatClientMetadata(ProviderName, null, engine.Info.Model.Split(',')[0]);
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">An option or a content is not supported; the message names it.</exception>
    /// <exception cref="EngineException">The prompt exceeds the context, an option is out of range, or the GPU failed.</exception>
    /// <exception cref="PromptException">The messages are no conversation.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or not a picture.</exception>
    /// <exception cref="OperationCanceledException">The answer was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        GenerationResult? result = null;
        await foreach (GenerationEvent next in AnswerAsync(messages, options, cancellationToken).ConfigureAwait(false))
            result = (next as GenerationCompleted)?.Result ?? result;
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, result!.Text))
        {
            ResponseId = Guid.NewGuid().ToString("N"), ModelId = metadata.DefaultModelId, CreatedAt = DateTimeOffset.UtcNow,
            FinishReason = FinishOf(result), Usage = UsageOf(result), RawRepresentation = result,
        };
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="GetResponseAsync"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string id = Guid.NewGuid().ToString("N");
        await foreach (GenerationEvent next in AnswerAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            if (next is TextDelta delta)
                yield return Update(delta.Text, delta);
            else if (next is GenerationCompleted { Result: var result })
                yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(UsageOf(result))])
                {
                    ResponseId = id, MessageId = id, ModelId = metadata.DefaultModelId, FinishReason = FinishOf(result), RawRepresentation = result,
                };
        }

        ChatResponseUpdate Update(string text, object raw) =>
            new(ChatRole.Assistant, text) { ResponseId = id, MessageId = id, ModelId = metadata.DefaultModelId, CreatedAt = DateTimeOffset.UtcNow, RawRepresentation = raw };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? metadata : serviceType.IsInstanceOfType(engine) ? engine : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Disposes the engine if this client owns it.</summary>
    public void Dispose()
    {
        if (ownsEngine)
            engine.Dispose();
    }

    private async IAsyncEnumerable<GenerationEvent> AnswerAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ClientRequest request = ClientRequest.Of(messages, options, engine, metadata.DefaultModelId!);
        ChatTemplate template = engine.TemplateOf(request.PromptStyle);
        var asked = new Conversation(template.Render(request.System, request.Turns, request.AnswerPrefix), [], request.Pictures);
        var events = Channel.CreateUnbounded<GenerationEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        engine.Answers.Require(request.Generation);
        PendingAnswer pending = await engine.Answers.SubmitAsync(asked, template.StopIds, request.Generation, events.Writer, cancellationToken).ConfigureAwait(false);
        try
        {
            await foreach (GenerationEvent next in events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return next;
            yield return new GenerationCompleted(await pending.Result.ConfigureAwait(false));
        }
        finally
        {
            // Also reached when the caller stops reading.
            pending.Request.Cancel();
        }
    }

    private static ChatFinishReason FinishOf(GenerationResult result) => result.FinishReason == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;

    private static UsageDetails UsageOf(GenerationResult result) => new()
    {
        InputTokenCount = result.Usage.PromptTokens, OutputTokenCount = result.Usage.CompletionTokens, TotalTokenCount = result.Usage.PromptTokens + result.Usage.CompletionTokens,
        CachedInputTokenCount = result.Usage.CachedTokens, AdditionalCounts = new AdditionalPropertiesDictionary<long> { ["image_tokens"] = result.Usage.ImageTokens },
    };
}

/// <summary>Adds a model to an application's services.</summary>
public static class XComposerServices
{
    /// <summary>Adds one engine, loaded when it is first asked for, and an <see cref="IChatClient"/> on it. Both live as long as the application.</summary>
    /// <param name="services">Of the application.</param>
    /// <param name="options">The checkpoint, the device and the limits.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddXComposer(this IServiceCollection services, EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(_ => XComposerEngine.LoadAsync(options).GetAwaiter().GetResult());
        services.AddSingleton<IChatClient>(provider => new XComposerChatClient(provider.GetRequiredService<XComposerEngine>()));
        return services;
    }
}
