using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>
/// Patches through a convolution whose stride is its size, class token first, position table added. Pixels are rounded to the storage type before they
/// are multiplied; the result is F32.
/// </summary>
public sealed record PatchEmbedding : OperationKernel<PatchEmbeddingOp>
{
    private const int Channels = 3, Tile = 64;

    /// <param name="storage">Type of the weights.</param>
    /// <param name="imageSize">Pixels of a picture's side; what is over after whole patches is not read.</param>
    /// <param name="patchSize">Pixels of a patch's side.</param>
    /// <param name="width">Outputs.</param>
    public PatchEmbedding(DType storage, int imageSize, int patchSize, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, patchSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        Storage = storage;
        ImageSize = imageSize;
        PatchSize = patchSize;
        Width = width;
    }

    public DType Storage { get; }

    public int ImageSize { get; }

    public int PatchSize { get; }

    public int Width { get; }

    /// <summary>Patches of a picture.</summary>
    public int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    public override string Source => "vision/patch_embedding.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<PatchEmbeddingArguments>();

    /// <summary>Four warps of 32 patches x 32 outputs.</summary>
    public override int BlockThreads => 128;

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("IMAGE_SIZE", Number(ImageSize)),
        ("PATCH_SIZE", Number(PatchSize)),
        ("WIDTH", Number(Width)),
    ];

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    public LaunchGeometry Geometry(int images)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        return new LaunchGeometry(new Dim3((checked(images * Patches) + Tile - 1) / Tile, (Width + Tile - 1) / Tile), BlockThreads);
    }

    public KernelCost Cost(int images)
    {
        long depth = (long)Channels * PatchSize * PatchSize, positions = (Patches + 1L) * Width;
        long pixels = images * (long)Channels * ImageSize * ImageSize;
        long bytes = (Width * depth * Storage.ElementBytes()) + (sizeof(float) * (pixels + Width + positions + (images * positions)));
        return new KernelCost(bytes, 2 * images * (long)Patches * Width * depth);
    }

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => RowCases.Of(this);

    protected override KernelLaunch Resolve(PatchEmbeddingOp operation, IKernelOperands operands)
    {
        KernelOperand pixels = operands.Operand(operation.Pixels), output = operands.Operand(operation.Output);
        DevicePointer weight = operands.Weight(operation.Weight), classToken = operands.Weight(operation.ClassToken), positions = operands.Weight(operation.Positions);
        return (kernel, in run) =>
        {
            int images = pixels.Rows(run);
            kernel.Launch(run.Stream, Geometry(images), new PatchEmbeddingArguments(pixels.Pointer(run), weight, classToken, positions, output.Pointer(run), (uint)images));
        };
    }
}

/// <summary>As <c>vision/patch_embedding.cu</c> declares it.</summary>
/// <param name="Pixels">F32 [images, 3, image size, image size], normalised.</param>
/// <param name="Weight">[width, 3, patch size, patch size] of the storage type.</param>
/// <param name="ClassToken">F32 [width].</param>
/// <param name="Positions">F32 [patches + 1, width].</param>
/// <param name="Output">F32 [images, patches + 1, width].</param>
/// <param name="Images">At least 1.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PatchEmbeddingArguments(
    DevicePointer Pixels, DevicePointer Weight, DevicePointer ClassToken, DevicePointer Positions, DevicePointer Output, uint Images);
