namespace XComposer2.Native.Model;

/// <summary>
/// Sequential and progressive Huffman-coded JPEG with the same pixels as libjpeg-turbo, which Pillow uses. Damage that libjpeg only warns about
/// is rejected. Defects that leave the picture intact (bytes between segments, a missing end marker) are accepted.
/// </summary>
internal ref struct JpegDecoder
{
    /// <summary>Typical files have about ten.</summary>
    private const int MaxScans = 500;

    /// <summary>Maximum number of blocks processed by all scans. A progressive picture of 200 megapixels needs fewer than 30 million.</summary>
    private const long MaxBlockVisits = 40_000_000;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ImageJob _job;
    private readonly JpegColorSpace? _colorSpace;
    private readonly JpegTables _tables = new();
    private JpegFrame? _frame;
    private JpegPlane[] _planes = [];
    private byte[] _pixels = [];
    private JpegColor? _color;
    private long _visits;
    private int _scans;
    private int _rowsWritten;

    private JpegDecoder(ReadOnlySpan<byte> bytes, ImageJob job, JpegColorSpace? colorSpace)
    {
        _bytes = bytes;
        _job = job;
        _colorSpace = colorSpace;
    }

    /// <param name="bytes">The complete file.</param>
    /// <param name="job">Context with the size of the frame header.</param>
    /// <param name="colorSpace">Given by a TIFF; null to use the file's own.</param>
    public static RgbImage Decode(ReadOnlySpan<byte> bytes, ImageJob job, JpegColorSpace? colorSpace = null) => new JpegDecoder(bytes, job, colorSpace).Run();

    private RgbImage Run()
    {
        int position = 2;
        while (true)
        {
            int marker = JpegMarker.Next(_bytes, ref position);
            if (marker is < 0 or JpegMarker.End) return Finish(hasEndMarker: marker >= 0);
            if (JpegMarker.IsAlone(marker)) continue;
            ReadOnlySpan<byte> segment = JpegMarker.Segment(_bytes, ref position, out bool isWhole);
            if (!isWhole)
            {
                if (_scans > 0) return Finish(hasEndMarker: false);
                throw Fault($"the segment at byte {position} ends behind the file");
            }
            if (JpegMarker.IsFrame(marker)) ReadFrame(marker, segment);
            else if (marker == JpegMarker.Scan)
            {
                if (ReadScan(segment, ref position)) return new RgbImage(_job.Width, _job.Height, _pixels);
            }
            else if (_tables.Read(marker, segment) is { } fault) throw Fault(fault);
        }
    }

    private void ReadFrame(int marker, scoped ReadOnlySpan<byte> segment)
    {
        if (_frame is not null) throw Fault("a second frame header");
        if (marker > 0xC2) throw Fault($"baseline and progressive Huffman coding are read, found {JpegMarker.Process(marker)}");
        int count = segment.Length < 6 ? 0 : segment[5];
        if (segment.Length != 6 + 3 * count || count == 0) throw Fault($"a frame header of {segment.Length} bytes for {count} components");
        if (segment[0] != 8) throw Fault($"8 bits per sample are read, found {segment[0]}");
        if (count is 2 or > 4) throw Fault($"1, 3 or 4 components are read, found {count}");
        JpegComponent[] components = new JpegComponent[count];
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> entry = segment.Slice(6 + 3 * index, 3);
            int across = entry[1] >> 4, down = entry[1] & 15;
            if (across is 0 or > 4 || down is 0 or > 4) throw Fault($"component {index}: sampling factors of 1 to 4 expected, found {across} x {down}");
            components[index] = new JpegComponent(entry[0], across, down, entry[2]);
        }
        _frame = new JpegFrame(_job.Width, _job.Height, marker == 0xC2, components);
        foreach (JpegComponent component in components)
            if (_frame.MaxHorizontal % component.Horizontal != 0 || _frame.MaxVertical % component.Vertical != 0)
                throw Fault("sampling factors that do not divide the largest one");
        // Every block takes at least one bit, so a small file cannot hold a large picture.
        if (_frame.Blocks > 8L * _bytes.Length) throw Fault($"the file is cut off: {_bytes.Length} bytes cannot hold {_frame.Blocks} blocks");
    }

    /// <returns>True if the picture is complete.</returns>
    private bool ReadScan(scoped ReadOnlySpan<byte> segment, ref int position)
    {
        JpegFrame frame = _frame ?? throw Fault("picture data before the frame header");
        if (++_scans > MaxScans) throw Fault($"more than {MaxScans} scans");
        JpegScan scan = JpegScanHeader.Read(segment, frame, out string? fault) ?? throw Fault(fault!);
        fault = JpegScanHeader.Prepare(scan, frame, _tables);
        if (fault is not null) throw Fault(fault);
        _visits += scan.Visits(frame);
        if (_visits > MaxBlockVisits) throw Fault($"the scans visit more than {MaxBlockVisits} blocks");
        bool isOnly = !frame.Progressive && scan.Components.Length == frame.Components.Length;
        if (isOnly && _scans > 1) throw Fault("a second scan of the same components");
        if (isOnly) BeginPixels(frame);
        else if (_scans == 1)
        {
            _job.RequireMemory(frame.CoefficientBytes);
            foreach (JpegComponent component in frame.Components) component.Coefficients = new short[64L * component.StoredBlocksPerRow * component.StoredBlockRows];
        }

        JpegPlane[] planes = isOnly ? new JpegPlane[scan.Components.Length] : [];
        for (int index = 0; index < planes.Length; index++) planes[index] = _planes[Array.IndexOf(frame.Components, scan.Components[index])];
        JpegScanDecoder decoder = new(_bytes, position, frame, scan, _tables.RestartInterval);
        int unitHeight = scan.IsInterleaved ? 8 * frame.MaxVertical : 8;
        for (int row = 0; row < decoder.UnitRows; row++)
        {
            _job.Cancellation.ThrowIfCancellationRequested();
            fault = isOnly ? decoder.TransformRow(row, planes) : decoder.StoreRow(row);
            if (fault is not null) throw Fault($"damaged or cut off: {fault}");
            if (isOnly) WriteRows((row + 1) * unitHeight);
        }
        position = decoder.Position;
        return isOnly;
    }

    private void BeginPixels(JpegFrame frame)
    {
        _planes = [.. frame.Components.Select(component => new JpegPlane(frame, component))];
        JpegColorSpace space = _colorSpace ?? JpegColor.Choose(frame.Components, _tables.HasJfif, _tables.AdobeTransform);
        if (JpegColor.Components(space) != frame.Components.Length) throw Fault($"{JpegColor.Components(space)} components expected, found {frame.Components.Length}");
        _color = new JpegColor(space);
        _pixels = GC.AllocateUninitializedArray<byte>(3 * frame.Width * frame.Height);
    }

    /// <summary>Writes all picture rows available after <paramref name="decodedRows"/> decoded rows.</summary>
    private void WriteRows(int decodedRows)
    {
        int stride = 3 * _job.Width;
        int end = decodedRows >= _job.Height ? _job.Height : decodedRows - (_planes.Any(plane => plane.NeedsRowBelow) ? 1 : 0);
        for (; _rowsWritten < end; _rowsWritten++) _color!.Convert(_planes, _rowsWritten, _pixels.AsSpan(_rowsWritten * stride, stride));
    }

    private RgbImage Finish(bool hasEndMarker)
    {
        if (_frame is not { } frame || _scans == 0) throw Fault("the file ends before its picture data");
        foreach (JpegComponent component in frame.Components)
        {
            if (component.Quantisers is null) throw Fault("the file is cut off: a component without picture data");
            // libjpeg would smooth the blocks. Without an end marker, more scans may be missing.
            int needed = hasEndMarker ? JpegScanHeader.SmoothedCoefficients : 64;
            if (frame.Progressive && component.KnownBits.AsSpan(0, needed).IndexOfAnyExcept(0) >= 0)
                throw Fault("the file is cut off: its progressive scans are incomplete");
        }
        BeginPixels(frame);
        for (int row = 0; row < frame.UnitRows; row++)
        {
            _job.Cancellation.ThrowIfCancellationRequested();
            foreach (JpegPlane plane in _planes) plane.TransformStored(row);
            WriteRows((row + 1) * 8 * frame.MaxVertical);
        }
        return new RgbImage(_job.Width, _job.Height, _pixels);
    }

    private readonly ImageException Fault(string reason) => _job.Fault($"JPEG: {reason}");
}
