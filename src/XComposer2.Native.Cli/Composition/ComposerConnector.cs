using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Loads a model and makes a composer of it.</summary>
internal delegate Task<ComposerConnection> ComposerConnector(EngineOptions engine, ComposerOptions options, CancellationToken cancellationToken);
