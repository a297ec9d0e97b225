using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Adds to the gradient of the patches' convolution: gᵀ times the pixels of the patches, which are gathered picture by picture.</summary>
public static unsafe class PatchWeightGradientKernel
{
    private const int Channels = 3;

    /// <summary>Scratch of <see cref="Run"/>.</summary>
    public static long ScratchBytes(int imageSize, int patchSize, int threads)
    {
        long grid = imageSize / patchSize;
        return ScratchCursor.BytesFor(grid * grid * Channels * patchSize * patchSize) + MatrixProduct.ScratchBytes(threads);
    }

    /// <param name="gradient">[images x (patches + 1), outputs].</param>
    /// <param name="pixels">[images, 3, imageSize, imageSize].</param>
    /// <param name="images">Pictures.</param>
    /// <param name="imageSize">Height and width.</param>
    /// <param name="patchSize">Height, width and stride of a patch.</param>
    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="sum">[outputs, 3 x patchSize x patchSize], added to.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* gradient, float* pixels, int images, int imageSize, int patchSize, int outputs, float* sum, void* scratch, long scratchBytes, WorkerPool pool,
        VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, patchSize);
        int grid = imageSize / patchSize, patches = grid * grid, columns = Channels * patchSize * patchSize;
        for (int image = 0; image < images; image++)
        {
            var cursor = new ScratchCursor(scratch, scratchBytes);
            float* gathered = cursor.Floats((long)patches * columns);
            var work = new Gather(pixels + ((nint)image * Channels * imageSize * imageSize), imageSize, patchSize, gathered);
            pool.Run(patches, ref work);
            var problem = new ProductProblem
            {
                A = gradient + (((image * ((nint)patches + 1)) + 1) * outputs), ARow = 1, AStep = outputs, B = new FloatMatrix((nint)gathered, DType.F32, patches, columns),
                Rows = RowRuns.All(outputs), Steps = RowRuns.All(patches), Scale = 1, Addend = sum, Output = sum,
            };
            MatrixProduct.Run(problem, ref cursor, pool, width);
        }
    }

    private readonly struct Gather(float* pixels, int imageSize, int patchSize, float* gathered) : IWork
    {
        public void Run(int task, int worker)
        {
            int grid = imageSize / patchSize;
            float* target = gathered + ((nint)task * Channels * patchSize * patchSize);
            float* corner = pixels + ((nint)(task / grid) * patchSize * imageSize) + (task % grid * patchSize);
            for (int channel = 0; channel < Channels; channel++)
                for (int y = 0; y < patchSize; y++, target += patchSize)
                    new ReadOnlySpan<float>(corner + (((nint)channel * imageSize) + y) * imageSize, patchSize).CopyTo(new Span<float>(target, patchSize));
        }
    }
}
