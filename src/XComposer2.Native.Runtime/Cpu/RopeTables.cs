using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Rotary tables, each made once and shared by the layers and graphs of a backend.</summary>
internal sealed class RopeTables
{
    private readonly Dictionary<(int Positions, int HeadSize, float Theta), RopeTable> tables = [];

    public RopeTable Get(int positions, int headSize, float theta)
    {
        if (!tables.TryGetValue((positions, headSize, theta), out RopeTable? table))
            tables.Add((positions, headSize, theta), table = new RopeTable(positions, headSize, theta));
        return table;
    }
}
