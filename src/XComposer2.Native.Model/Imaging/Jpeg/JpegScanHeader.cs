namespace XComposer2.Native.Model;

/// <summary>Reads and validates scan headers and prepares the frame.</summary>
internal static class JpegScanHeader
{
    /// <summary>libjpeg smooths blocks if one of the first coefficients is incomplete.</summary>
    public const int SmoothedCoefficients = 10;

    private const int MaxBlocksPerUnit = 10;
    private const int MaxBit = 13;
    private const int MaxDcBits = 15;

    /// <returns>Null if there is a fault.</returns>
    public static JpegScan? Read(ReadOnlySpan<byte> segment, JpegFrame frame, out string? fault)
    {
        int count = segment.IsEmpty ? 0 : segment[0];
        fault = count is 0 or > 4 || segment.Length != 4 + 2 * count ? $"a scan header of {segment.Length} bytes for {count} components" : null;
        if (fault is not null) return null;
        JpegComponent[] components = new JpegComponent[count];
        for (int index = 0; index < count; index++)
        {
            byte id = segment[1 + 2 * index];
            JpegComponent? found = frame.Components.FirstOrDefault(component => component.Id == id && !components.Contains(component));
            if (found is null)
            {
                fault = $"a scan of component {id}, which the frame does not have";
                return null;
            }
            components[index] = found;
            (found.DcSelector, found.AcSelector) = (segment[2 + 2 * index] >> 4, segment[2 + 2 * index] & 15);
        }
        ReadOnlySpan<byte> band = segment[^3..];
        // The band fields of sequential scans are ignored.
        JpegScan scan = frame.Progressive ? new(components, band[0], band[1], band[2] >> 4, band[2] & 15) : new(components, 0, 63, 0, 0);
        if (scan.IsInterleaved && components.Sum(component => component.Horizontal * component.Vertical) > MaxBlocksPerUnit) fault = "too many blocks in a unit";
        else if (frame.Progressive) fault = Progression(scan);
        return fault is null ? scan : null;
    }

    /// <summary>Assigns tables to the components and records the progress of their coefficients.</summary>
    /// <returns>Null, or a description of the fault.</returns>
    public static string? Prepare(JpegScan scan, JpegFrame frame, JpegTables tables)
    {
        foreach (JpegComponent component in scan.Components)
        {
            component.LastDc = 0;
            bool isRepeated = component.Quantisers is not null;
            if (isRepeated && !frame.Progressive) return "a second scan of the same component";
            component.Quantisers ??= tables.Quantisers(component.Quantiser);
            if (component.Quantisers is null) return $"quantisation table {component.Quantiser} is missing";
            bool needsDc = scan.First == 0 && scan.PreviousBit == 0, needsAc = scan.Last > 0;
            component.DcTable = needsDc ? tables.Huffman(isAc: false, component.DcSelector, !frame.Progressive) : null;
            component.AcTable = needsAc ? tables.Huffman(isAc: true, component.AcSelector, !frame.Progressive) : null;
            if ((needsDc && component.DcTable is null) || (needsAc && component.AcTable is null)) return "a Huffman table is missing";
            if (component.DcTable is { } table && table.Symbols.IndexOfAnyExceptInRange((byte)0, (byte)MaxDcBits) >= 0) return "a Huffman table with DC values of more than 15 bits";
            if (!frame.Progressive) continue;
            if (scan.First > 0 && component.KnownBits[0] < 0) return "AC coefficients before their DC coefficients";
            for (int coefficient = scan.First; coefficient <= scan.Last; coefficient++)
            {
                if (Math.Max(component.KnownBits[coefficient], 0) != scan.PreviousBit) return "scans that do not follow each other";
                component.KnownBits[coefficient] = scan.Bit;
            }
        }
        return null;
    }

    private static string? Progression(JpegScan scan)
    {
        bool isBand = scan.First == 0 ? scan.Last == 0 : scan.Last >= scan.First && scan.Last < 64 && !scan.IsInterleaved;
        bool isStep = scan.PreviousBit == 0 ? scan.Bit <= MaxBit : scan.Bit == scan.PreviousBit - 1;
        return isBand && isStep ? null : $"a progressive scan of coefficients {scan.First} to {scan.Last}, bits {scan.PreviousBit} to {scan.Bit}";
    }
}
