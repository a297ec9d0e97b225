using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Converts stored rows to the type that the device wants, rounding to nearest even.</summary>
internal static unsafe class HostRowConversion
{
    /// <param name="source">A row of F32, F16 or BF16.</param>
    /// <param name="columns">Its elements.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="destination">[columns] of <paramref name="type"/>.</param>
    public static void Copy(HostRow source, int columns, DType type, byte* destination)
    {
        DType from = source.Tensor.Type;
        byte* start = (byte*)source.Tensor.Data + ((long)source.Row * columns * from.ElementBytes());
        if (from == type)
        {
            Buffer.MemoryCopy(start, destination, (long)columns * type.ElementBytes(), (long)columns * type.ElementBytes());
            return;
        }

        for (int i = 0; i < columns; i++)
            Write(Read(start, from, i), type, destination, i);
    }

    private static float Read(byte* source, DType type, int index) => type switch
    {
        DType.F32 => ((float*)source)[index],
        DType.F16 => (float)((Half*)source)[index],
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[index] << 16),
    };

    private static void Write(float value, DType type, byte* destination, int index)
    {
        switch (type)
        {
            case DType.F32:
                ((float*)destination)[index] = value;
                break;
            case DType.F16:
                ((Half*)destination)[index] = (Half)value;
                break;
            default:
                uint bits = BitConverter.SingleToUInt32Bits(value);
                ((ushort*)destination)[index] = float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
                break;
        }
    }
}
