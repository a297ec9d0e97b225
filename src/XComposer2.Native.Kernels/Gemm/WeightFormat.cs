namespace XComposer2.Native.Kernels;

/// <summary>How a linear's weights are stored on the device.</summary>
public enum WeightFormat : byte
{
    /// <summary>In the kernel's storage type.</summary>
    Storage,

    /// <summary>Integers of -127 to 127 with one F32 scale a row, columns in the order of <see cref="Int8ColumnOrder"/>.</summary>
    Int8,
}
