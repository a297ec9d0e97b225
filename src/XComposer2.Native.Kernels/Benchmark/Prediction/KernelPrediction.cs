namespace XComposer2.Native.Kernels;

/// <summary>What a launch should take on a GPU that is not here, from its code and its sizes: a prediction, never a measurement.</summary>
/// <param name="Case">The launch.</param>
/// <param name="Gpu">Where.</param>
/// <param name="Resources">Of its code.</param>
/// <param name="Loop">That does the work.</param>
public sealed record KernelPrediction(KernelCase Case, GpuModel Gpu, KernelResources Resources, SassLoop Loop)
{
    private const int RegistersPerMultiprocessor = 65536, RegisterUnit = 256, MaximumBlocks = 32, ReservedSharedBytes = 1024;

    /// <summary>Blocks that one multiprocessor holds: of registers, shared memory, threads and the hardware's limit, the fewest.</summary>
    public int BlocksPerMultiprocessor
    {
        get
        {
            int warps = (Case.Definition.BlockThreads + 31) / 32, registersOfWarp = ((32 * Resources.Registers) + RegisterUnit - 1) / RegisterUnit * RegisterUnit;
            long sharedBytes = Resources.SharedBytes + Case.Geometry.DynamicSharedBytes + ReservedSharedBytes;
            int fitting = (int)Math.Min(RegistersPerMultiprocessor / (registersOfWarp * warps), Gpu.Device.SharedBytesPerMultiprocessor / sharedBytes);
            return Math.Max(1, Math.Min(Math.Min(fitting, MaximumBlocks), Gpu.Device.ThreadsPerMultiprocessor / (warps * 32)));
        }
    }

    /// <summary>Blocks of the launch, or the tiles that blocks take in turns.</summary>
    public long Blocks => Case.Tiles ?? (long)Case.Geometry.Grid.X * Case.Geometry.Grid.Y * Case.Geometry.Grid.Z;

    /// <summary>Blocks over those that all multiprocessors hold at once.</summary>
    public double Waves => (double)Blocks / (Gpu.Device.Multiprocessors * BlocksPerMultiprocessor);

    /// <summary>Read from global memory and under way to one multiprocessor: a pass of the loop for each of its warps, or the shared memory that copies fill.</summary>
    public double BytesInFlight
    {
        get
        {
            double blocks = Math.Min(BlocksPerMultiprocessor, (double)Blocks / Gpu.Device.Multiprocessors);
            double loopBytes = Loop.ReadBytes * (double)(Case.Definition.BlockThreads / 32);
            return blocks * Math.Max(loopBytes, Case.Geometry.DynamicSharedBytes);
        }
    }

    /// <summary>Instructions of a warp for each of its products; null where tensor cores do nothing.</summary>
    public double? InstructionsPerProduct => Loop.Products > 0 ? (double)Loop.Instructions / Loop.Products : null;

    /// <summary>Instructions of a warp for each kibibyte that it reads; null where the loop reads nothing itself.</summary>
    public double? InstructionsPerKibibyte => Loop.ReadBytes > 0 ? Loop.Instructions * 1024.0 / Loop.ReadBytes : null;

    /// <summary>What bounds the time: the largest of the four.</summary>
    public string Bound => new[] { ("memory", MemorySeconds), ("products", ProductSeconds), ("issue", IssueSeconds), ("shared", SharedSeconds) }.MaxBy(bound => bound.Item2).Item1;

    /// <summary>In a graph, with the boundary to the kernel before.</summary>
    public double Microseconds => 1e6 * (Math.Max(Math.Max(MemorySeconds, ProductSeconds), Math.Max(IssueSeconds, SharedSeconds))
        + (Case.Geometry.OverlapsPredecessor ? Gpu.OverlappedBoundarySeconds : Gpu.BoundarySeconds));

    private double MemorySeconds => BytesInFlight > 0 ? Case.Cost.Bytes / Gpu.ReadRate(BytesInFlight) : Case.Cost.Bytes / (Gpu.MemoryBytesPerSecond * Gpu.ReadShare);

    private double ProductSeconds => Loop.Products > 0 ? Unevenness * Case.Cost.Flops / Gpu.ProductRate(UsesGroups, (double)Loop.HalfFlops / Loop.Flops) : 0;

    private double IssueSeconds => Unevenness * Passes * Loop.Instructions / Gpu.IssueRate;

    private double SharedSeconds => Unevenness * Passes * Loop.SharedBytes / Gpu.SharedRate;

    private bool UsesGroups => Loop.Products > 0 && Loop.Flops / Loop.Products > 4096 * 2;

    // How often warps go through the loop, all together.
    private double Passes => Loop.Flops > 0 ? (double)Case.Cost.Flops / Loop.Flops : Loop.ReadBytes > 0 ? (double)Case.Cost.Bytes / Loop.ReadBytes : 0;

    // Blocks of one size take whole turns: the last one may find few multiprocessors with work.
    private double Unevenness => Waves > 1 ? Math.Ceiling(Waves) / Waves : Math.Max(1, Math.Ceiling((double)Blocks / Gpu.Device.Multiprocessors) * Gpu.Device.Multiprocessors / Blocks);
}
