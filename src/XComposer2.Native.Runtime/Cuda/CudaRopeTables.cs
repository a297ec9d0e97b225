using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Rotary tables on the device, each made once on the host with the numbers that the processor's backend uses.</summary>
internal sealed unsafe class CudaRopeTables(CudaContext context, CudaStream stream) : IDisposable
{
    private readonly Dictionary<(int Positions, int HeadSize, float Theta), DeviceMemory> tables = [];

    /// <summary>[positions, headSize / 2] pairs of cosine and sine.</summary>
    public DevicePointer Get(int positions, int headSize, float theta)
    {
        if (!tables.TryGetValue((positions, headSize, theta), out DeviceMemory? memory))
            tables.Add((positions, headSize, theta), memory = Upload(positions, headSize, theta));
        return memory.Span.Pointer;
    }

    public void Dispose()
    {
        foreach (DeviceMemory memory in tables.Values)
            memory.Dispose();
    }

    private DeviceMemory Upload(int positions, int headSize, float theta)
    {
        var table = new RopeTable(positions, headSize, theta);
        int half = headSize / 2;
        var pairs = new float[positions * headSize];
        for (int position = 0; position < positions; position++)
        {
            float* row = table.Row(position);
            for (int i = 0; i < half; i++)
            {
                pairs[(position * headSize) + (2 * i)] = row[i];
                pairs[(position * headSize) + (2 * i) + 1] = row[half + i];
            }
        }

        DeviceMemory memory = DeviceMemory.Allocate(context, (long)pairs.Length * sizeof(float));
        stream.CopyToDevice<float>(memory.Span, pairs);
        return memory;
    }
}
