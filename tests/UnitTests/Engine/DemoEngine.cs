using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>One engine with the demo checkpoint for all tests of a class.</summary>
public sealed class DemoEngine : IAsyncLifetime
{
    public XComposerEngine Engine { get; private set; } = null!;

    public static Task<XComposerEngine> LoadAsync(int? context = null) =>
        XComposerEngine.LoadAsync(new EngineOptions { ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Limits = new EngineLimits { Context = context }, Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2 } }, TestContext.Current.CancellationToken);

    public async ValueTask InitializeAsync() => Engine = await LoadAsync();

    public ValueTask DisposeAsync()
    {
        Engine.Dispose();
        return ValueTask.CompletedTask;
    }
}
