using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Attention: within a picture, and over the cache for prompts and for generated tokens.</summary>
internal static class AttentionChoice
{
    public static OperationKernel Choose(VisionAttentionOp attention, ComputeGraph graph, DeviceFacts device)
    {
        TensorSpec query = graph[attention.Query];
        int headSize = graph[attention.Output].RowElements / attention.Heads;
        return new VisionAttention(query.Type, attention.Heads, headSize, query.RowElements, FlashTile.ChooseKeys(device.Capability, headSize));
    }

    public static OperationKernel Choose(PagedAttentionOp attention, ComputeGraph graph, DeviceFacts device)
    {
        DType storage = graph[attention.Query].Type;
        AttentionGeometry heads = attention.Geometry;
        bool hasInt8Cache = graph.Cache == CacheFormat.Int8;
        return graph.HasOneRowPerSequence
            ? new DecodeAttention(storage, heads, hasInt8Cache)
            : new PrefillAttention(storage, heads, FlashTile.ChooseKeys(device.Capability, heads.HeadSize), hasInt8Cache);
    }
}
