using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>A GPU caches keys and values in its storage type, and says so where another format is asked for.</summary>
public sealed class CacheFormatTests
{
    [Fact]
    public void A_cache_of_another_format_than_the_storage_is_refused()
    {
        using CudaBackend backend = new(new CudaBackendOptions { Storage = DType.F16 });
        Assert.Equal(CacheFormat.F16, backend.CacheFormat);
        NotSupportedException error = Assert.Throws<NotSupportedException>(
            () => backend.AllocatePages(new KeyValueLayout(1, new AttentionGeometry(2, 1, 64), CacheFormat.Int8), 1));
        Assert.Equal("the GPU has no kernels for a key/value cache of I8: expected F16, the type of weights and activations", error.Message);
    }

    [Fact]
    public async Task An_engine_with_such_a_cache_is_refused_in_one_sentence()
    {
        var options = new EngineOptions
        {
            ModelPath = RepositoryPaths.Find("tools/demo/checkpoint"),
            Device = new DeviceOptions { Kind = DeviceKind.Cuda, Storage = DType.F16, Cache = CacheFormat.Int8 },
        };
        EngineException error = await Assert.ThrowsAsync<EngineException>(() => XComposerEngine.LoadAsync(options, TestContext.Current.CancellationToken));
        Assert.StartsWith("cache: expected F16 on this GPU", error.Message, StringComparison.Ordinal);
    }
}
