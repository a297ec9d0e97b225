using System.Globalization;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>What the device can do at best, against which all else is held.</summary>
internal static class ProbeCases
{
    public static KernelCase Of(ReadStream kernel, DeviceFacts device, CaseSizes counts)
    {
        LaunchGeometry geometry = kernel.Geometry(device.Multiprocessors, device.ThreadsPerMultiprocessor);
        long lengthBytes = counts.ReadBytes / ReadStream.ChunkBytes * ReadStream.ChunkBytes;
        CaseMemory memory = new();
        long values = memory.Values(DType.BF16, lengthBytes / sizeof(ushort));
        long sums = memory.Result(kernel.SumBytes(geometry));
        return KernelCase.Create(
            string.Create(CultureInfo.InvariantCulture, $"{lengthBytes >> 20} MiB"), kernel, geometry, kernel.Cost(lengthBytes, geometry), memory,
            start => new ReadStreamArguments(start + values, start + sums, (ulong)(lengthBytes / ReadStream.ChunkBytes)));
    }

    public static KernelCase Of(MmaRate kernel, DeviceFacts device, CaseSizes counts)
    {
        LaunchGeometry geometry = kernel.Geometry(device.Multiprocessors);
        int steps = counts.MmaSteps;
        CaseMemory memory = new();
        long a = memory.Values(kernel.Storage, (long)MmaRate.Rows * kernel.Depth);
        long b = memory.Values(kernel.Storage, (long)MmaRate.Columns * kernel.Depth);
        long sums = memory.Result((long)geometry.Grid.X * kernel.BlockThreads * sizeof(float));
        return KernelCase.Create(
            string.Create(CultureInfo.InvariantCulture, $"{kernel.Storage.CudaName()}, {steps} steps"), kernel, geometry, kernel.Cost(steps, geometry), memory,
            start => new MmaRateArguments(start + a, start + b, start + sums, (uint)steps));
    }
}
