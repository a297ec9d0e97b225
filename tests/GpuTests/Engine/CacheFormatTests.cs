using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>A GPU caches keys and values in its storage type or as int8, and says so where another format is asked for.</summary>
public sealed class CacheFormatTests
{
    [Fact]
    public void A_cache_without_kernels_is_refused()
    {
        Assert.Equal("cache: expected F16 on this GPU, the type of its weights and activations, or I8; found BF16", Refused(DType.F16, CacheFormat.BF16));
        Assert.Equal("cache: expected F32 on this GPU, the type of its weights and activations; found I8", Refused(DType.F32, CacheFormat.Int8));

        static string Refused(DType storage, CacheFormat cache) =>
            Assert.Throws<NotSupportedException>(() => new CudaBackend(new CudaBackendOptions { Storage = storage, KeyValueCache = cache })).Message;
    }

    [Fact]
    public void Pages_of_another_format_than_the_backends_are_refused()
    {
        using CudaBackend backend = new(new CudaBackendOptions { Storage = DType.F16 });
        Assert.Equal(CacheFormat.F16, backend.CacheFormat);
        NotSupportedException error = Assert.Throws<NotSupportedException>(
            () => backend.AllocatePages(new KeyValueLayout(1, new AttentionGeometry(2, 1, 64), CacheFormat.Int8), 1));
        Assert.Equal("expected a key/value cache of F16, found I8", error.Message);
    }

    [Fact]
    public async Task An_engine_with_such_a_cache_is_refused_in_one_sentence()
    {
        var options = new EngineOptions
        {
            ModelPath = RepositoryPaths.Find("tools/demo/checkpoint"),
            Device = new DeviceOptions { Kind = DeviceKind.Cuda, Storage = DType.F16, Cache = CacheFormat.F32 },
        };
        EngineException error = await Assert.ThrowsAsync<EngineException>(() => XComposerEngine.LoadAsync(options, TestContext.Current.CancellationToken));
        Assert.StartsWith("cache: expected F16 on this GPU", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Every stage of a golden checkpoint, whose keys and values are integers on the way.</summary>
    [Fact]
    public void A_golden_checkpoint_passes_with_an_int8_cache()
    {
        VerificationReport report = ModelVerifier.Run(
            new VerificationOptions
            {
                ModelPath = SharedMaterial.Find("golden/gqa-head64-fp32"),
                Device = new DeviceOptions { Kind = DeviceKind.Cuda, Storage = DType.F16, Cache = CacheFormat.Int8 },
            },
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(report.Passed, string.Join('\n', report.Stages.Where(stage => !stage.Passed)));
    }
}
