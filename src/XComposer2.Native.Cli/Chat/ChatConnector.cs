namespace XComposer2.Native.Cli;

/// <summary>Loads a model and opens a conversation.</summary>
internal delegate Task<IChatClient> ChatConnector(EngineOptions engine, SessionOptions session, CancellationToken cancellationToken);
