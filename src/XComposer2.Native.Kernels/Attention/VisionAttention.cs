using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Softmax attention of every token to every token of the same picture and head, no mask. Queries, keys, values and outputs
/// [images x tokens, heads x head size] in the storage type.</summary>
public sealed record VisionAttention : OperationKernel<VisionAttentionOp>
{
    /// <param name="storage">Type of all four.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headSize">A multiple of 16 up to 128.</param>
    /// <param name="inputStride">Elements from one row of queries, keys and values to the next: heads x head size, or three times that where they share rows.</param>
    /// <param name="tileKeys">Of <see cref="FlashTile.ChooseKeys"/>.</param>
    public VisionAttention(DType storage, int heads, int headSize, int inputStride, int tileKeys)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        if (headSize is < 16 or > 128 || headSize % 16 != 0)
            throw new ArgumentOutOfRangeException(nameof(headSize), headSize, "a head has a multiple of 16 columns, 128 at most");
        if (inputStride < heads * headSize || inputStride % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(inputStride), inputStride, $"rows of {heads} x {headSize} elements lie a multiple of 8 elements apart");
        FlashTile.RequireKeys(tileKeys);
        if (tileKeys * headSize % 1024 != 0)
            throw new ArgumentException($"a tile of {tileKeys} keys of {headSize} columns is not shared equally by {FlashTile.Threads} threads", nameof(tileKeys));
        Storage = storage;
        Heads = heads;
        HeadSize = headSize;
        InputStride = inputStride;
        TileKeys = tileKeys;
    }

    public DType Storage { get; }

    public int Heads { get; }

    public int HeadSize { get; }

    public int InputStride { get; }

    public int TileKeys { get; }

    /// <summary>Queries, keys and values of a token are one row.</summary>
    public bool IsPacked => InputStride == 3 * Heads * HeadSize;

    public override string Source => "attention/vision_attention.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<VisionAttentionArguments>();

    public override int BlockThreads => FlashTile.Threads;

    public override int DynamicSharedBytes => FlashTile.SharedBytes(Storage, HeadSize, TileKeys);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("HEADS", Number(Heads)),
        ("HEAD_SIZE", Number(HeadSize)),
        ("INPUT_STRIDE", Number(InputStride)),
        ("TILE_KEYS", Number(TileKeys)),
    ];

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => FlashTile.ResidentBlocks(HeadSize);

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    public LaunchGeometry Geometry(int images, int tokensPerImage)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensPerImage, 1);
        return new LaunchGeometry(new Dim3((tokensPerImage + FlashTile.Rows - 1) / FlashTile.Rows, Heads, images), BlockThreads, DynamicSharedBytes);
    }

    /// <param name="queries">First row; all four pointers are aligned to 16 bytes.</param>
    /// <param name="keys">First row.</param>
    /// <param name="values">First row.</param>
    /// <param name="outputs">[images x tokens, heads x head size], overlapping no input.</param>
    /// <param name="tokensPerImage">Tokens of one picture, the class token included.</param>
    public VisionAttentionArguments Arguments(DevicePointer queries, DevicePointer keys, DevicePointer values, DevicePointer outputs, int tokensPerImage) =>
        new(queries, keys, values, outputs, tokensPerImage, FlashTile.ScoreScale(HeadSize));

    public KernelCost Cost(int images, int tokensPerImage)
    {
        long rows = (long)images * tokensPerImage;
        return new KernelCost(4 * rows * Heads * HeadSize * Storage.ElementBytes(), 4 * rows * tokensPerImage * Heads * HeadSize);
    }

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => AttentionCases.Of(this, context);

    protected override KernelLaunch Resolve(VisionAttentionOp operation, IKernelOperands operands)
    {
        KernelOperand query = operands.Operand(operation.Query), key = operands.Operand(operation.Key);
        KernelOperand value = operands.Operand(operation.Value), output = operands.Operand(operation.Output);
        int tokensPerImage = operation.TokensPerImage;
        // A lowered graph names one tensor three times where its rows hold all three beside each other.
        long partBytes = IsPacked ? (long)Heads * HeadSize * Storage.ElementBytes() : 0;
        return (kernel, in run) => kernel.Launch(
            run.Stream,
            Geometry(query.Rows(run) / tokensPerImage, tokensPerImage),
            Arguments(query.Pointer(run), key.Pointer(run) + partBytes, value.Pointer(run) + (2 * partBytes), output.Pointer(run), tokensPerImage));
    }
}

/// <summary>As <c>attention/vision_attention.cu</c> declares it. Made by <see cref="VisionAttention.Arguments"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct VisionAttentionArguments(
    DevicePointer Queries, DevicePointer Keys, DevicePointer Values, DevicePointer Outputs, int Tokens, float ScoreScale);
