using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// A convolution over patches with stride equal to its size: the product [patches, 3 p p] x [width, 3 p p]ᵀ, with the class token as row 0 of
/// each picture and the position table added. Patches lie across the vector lanes, so that gathering the pixels also transposes them.
/// </summary>
public static unsafe class PatchEmbeddingKernel
{
    private const int Channels = 3;

    // Outputs per pass: their weights are widened together, and results are written as whole rows.
    private const int PassOutputs = 64;

    private const int TasksPerThread = 4;

    /// <summary>Scratch size of <see cref="Run"/>.</summary>
    public static long ScratchBytes(int patchSize, int threads) => checked(threads * ScratchCursor.BytesFor(WorkerFloats(patchSize)));

    /// <param name="pixels">[images, 3, imageSize, imageSize], normalised.</param>
    /// <param name="images">Number of pictures.</param>
    /// <param name="imageSize">Height and width; the remainder after whole patches is ignored.</param>
    /// <param name="patchSize">Height, width and stride of a patch.</param>
    /// <param name="weight">[width, 3 x patchSize x patchSize] of any floating-point type.</param>
    /// <param name="classToken">[1, width].</param>
    /// <param name="positions">[patches + 1, width].</param>
    /// <param name="output">[images x (patches + 1), width].</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="vectorWidth">Vector width.</param>
    public static void Run(
        float* pixels, int images, int imageSize, int patchSize, FloatMatrix weight, FloatMatrix classToken, FloatMatrix positions, float* output,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth vectorWidth = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(patchSize, 256);
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, patchSize);
        int grid = imageSize / patchSize;
        int patches = checked(grid * grid);
        FloatLoads.Require(weight, nameof(weight), weight.Rows, Channels * patchSize * patchSize);
        FloatLoads.Require(classToken, nameof(classToken), 1, weight.Rows);
        FloatLoads.Require(positions, nameof(positions), checked(patches + 1), weight.Rows);
        if (images == 0 || weight.Rows == 0)
            return;
        var problem = new Problem(pixels, images, imageSize, patchSize, weight, classToken, positions, output);
        switch (vectorWidth.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(problem, scratch, scratchBytes, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(problem, scratch, scratchBytes, pool); break;
            default: Run<Simd128, Vector128<float>>(problem, scratch, scratchBytes, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(in Problem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int workerFloats = WorkerFloats(problem.PatchSize);
        float* memory = new ScratchCursor(scratch, scratchBytes).Floats((long)workerFloats * pool.Threads);
        int columns = 3 * TSimd.Count;
        int tiles = checked(problem.Images * ((problem.Patches + columns - 1) / columns));
        int passes = (problem.Weight.Rows + PassOutputs - 1) / PassOutputs;
        int parts = Math.Clamp(((TasksPerThread * pool.Threads) + tiles - 1) / tiles, 1, passes);
        var work = new Work<TSimd, TVector>(problem, memory, workerFloats, parts);
        pool.Run(checked(tiles * parts), ref work);
    }

    // Rounded up to 16 floats, so that workers do not share cache lines.
    private static int WorkerFloats(int patchSize)
    {
        int steps = Channels * patchSize * patchSize;
        int floats = (steps * PanelProduct.MostColumns) + (PassOutputs * PanelProduct.MostColumns) + (PassOutputs * steps);
        return (floats + 15) & ~15;
    }

    private readonly struct Problem(
        float* pixels, int images, int imageSize, int patchSize, FloatMatrix weight, FloatMatrix classToken, FloatMatrix positions, float* output)
    {
        public readonly float* Pixels = pixels;
        public readonly int Images = images;
        public readonly int ImageSize = imageSize;
        public readonly int PatchSize = patchSize;
        public readonly FloatMatrix Weight = weight;
        public readonly FloatMatrix ClassToken = classToken;
        public readonly FloatMatrix Positions = positions;
        public readonly float* Output = output;

        public int Grid => ImageSize / PatchSize;

        public int Patches => Grid * Grid;
    }

    private readonly struct Work<TSimd, TVector>(Problem problem, float* memory, int workerFloats, int parts) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int columns = 3 * TSimd.Count;
            int tilesPerImage = (problem.Patches + columns - 1) / columns;
            int part = task % parts;
            int tile = task / parts % tilesPerImage;
            int image = task / parts / tilesPerImage;
            int outputs = problem.Weight.Rows;
            int steps = problem.Weight.Columns;
            float* panel = memory + ((long)worker * workerFloats);
            float* results = panel + (steps * columns);
            float* widened = results + (PassOutputs * columns);

            int firstPatch = tile * columns;
            int patches = Math.Min(columns, problem.Patches - firstPatch);
            float* rows = problem.Output + (((image * ((nint)problem.Patches + 1)) + 1 + firstPatch) * outputs);
            Gather(image, firstPatch, patches, columns, panel);
            int passes = (outputs + PassOutputs - 1) / PassOutputs;
            for (int pass = part; pass < passes; pass += parts)
            {
                int first = pass * PassOutputs;
                int count = Math.Min(PassOutputs, outputs - first);
                float* weights = (float*)problem.Weight.Data + ((nint)first * steps);
                if (problem.Weight.Type != DType.F32)
                {
                    FloatLoads.Widen<TSimd, TVector>(problem.Weight.Data, problem.Weight.Type, (nint)first * steps, widened, count * (nint)steps);
                    weights = widened;
                }

                PanelProduct.Multiply<TSimd, TVector>(weights, steps, 1, count, steps, panel, results, null);
                for (int patch = 0; patch < patches; patch++)
                    AddPosition(results + patch, columns, 1 + firstPatch + patch, first, count, rows + ((nint)patch * outputs) + first);
                if (tile == 0)
                    WriteClassToken(first, count, rows - outputs + first);
            }
        }

        private void Gather(int image, int firstPatch, int patches, int columns, float* panel)
        {
            nint size = problem.ImageSize;
            int patchSize = problem.PatchSize;
            for (int column = 0; column < columns; column++)
            {
                int patch = firstPatch + Math.Min(column, patches - 1);
                float* destination = panel + column;
                for (int channel = 0; channel < Channels; channel++)
                {
                    float* source = problem.Pixels + ((((((nint)image * Channels) + channel) * size)
                        + (patch / problem.Grid * patchSize)) * size) + (patch % problem.Grid * patchSize);
                    for (int y = 0; y < patchSize; y++)
                    {
                        for (int x = 0; x < patchSize; x++)
                        {
                            *destination = source[x];
                            destination += columns;
                        }

                        source += size;
                    }
                }
            }
        }

        private void AddPosition(float* results, int columns, int position, int first, int count, float* row)
        {
            nint table = ((nint)position * problem.Positions.Columns) + first;
            for (int i = 0; i < count; i++)
                row[i] = results[i * columns] + FloatLoads.Scalar(problem.Positions.Data, problem.Positions.Type, table + i);
        }

        private void WriteClassToken(int first, int count, float* row)
        {
            for (int i = first; i < first + count; i++)
                row[i - first] = FloatLoads.Scalar(problem.ClassToken.Data, problem.ClassToken.Type, i)
                    + FloatLoads.Scalar(problem.Positions.Data, problem.Positions.Type, i);
        }
    }
}
