using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// What a folder of quantised weights says of itself (<c>xc2-weights.json</c>): the format and shape of every weight of integers, length and checksum of every file of weights,
/// and how they were made. It is written last: a folder without it is half-written.
/// </summary>
/// <param name="Method">How the integers were chosen, for example "rtn".</param>
/// <param name="Quantization">The formats in words.</param>
/// <param name="Source">The checkpoint that was quantised, in words.</param>
/// <param name="Weights">By name, those of integers.</param>
/// <param name="Files">By name.</param>
public sealed record IntegerManifest(
    string Method, string Quantization, string Source, ImmutableSortedDictionary<string, IntegerWeight> Weights, ImmutableSortedDictionary<string, WeightFile> Files)
{
    public const string FileName = "xc2-weights.json";

    /// <summary>Beside weights that are not all written yet.</summary>
    public const string UnfinishedName = "xc2-weights.unfinished.json";

    private const int Version = 1, MaximumBytes = 16 << 20, MaximumSize = 1 << 24;

    /// <summary>The manifest of a folder; null where there is none.</summary>
    /// <exception cref="CheckpointException">It is damaged or of another version.</exception>
    public static IntegerManifest? TryRead(string directory)
    {
        string path = Path.Combine(directory, FileName);
        return File.Exists(path) ? Read(path) : null;
    }

    /// <exception cref="CheckpointException">The folder is half-written.</exception>
    public static void RequireFinished(string directory)
    {
        if (File.Exists(Path.Combine(directory, UnfinishedName)) && !File.Exists(Path.Combine(directory, FileName)))
            throw new CheckpointException(directory, "weights", $"finished ones, with {FileName}", "a folder that xc2 quantize has not finished; run it again with the same options");
    }

    /// <param name="path">The file.</param>
    /// <param name="isUnfinished">There may be no weights yet.</param>
    /// <exception cref="CheckpointException">It is damaged or of another version.</exception>
    public static IntegerManifest Read(string path, bool isUnfinished = false)
    {
        using FileBytes bytes = FileBytes.Read(path, MaximumBytes, "manifest");
        using JsonDocument document = ConfigSection.ParseDocument(path, bytes.Whole());
        ConfigSection root = new(path, "", document.RootElement);
        if (root.Integer("version", 0, int.MaxValue) is var version && version != Version)
            throw root.Bad("version", $"{Version}", version is null ? "none" : $"{version}");
        var weights = ImmutableSortedDictionary.CreateBuilder<string, IntegerWeight>(StringComparer.Ordinal);
        var files = ImmutableSortedDictionary.CreateBuilder<string, WeightFile>(StringComparer.Ordinal);
        foreach ((string name, ConfigSection section) in root.Section("weights").Members())
            weights[name] = new IntegerWeight(ReadFormat(section), ReadShape(section), section.Number("relative_l2", 0, double.MaxValue) ?? 0)
            {
                OutputError = section.Number("output_error", 0, double.MaxValue),
                RoundingError = section.Number("output_error_rtn", 0, double.MaxValue),
            };
        foreach ((string name, ConfigSection section) in root.Section("files").Members())
        {
            if (name.AsSpan().ContainsAny('/', '\\', ':'))
                throw section.Bad("name", "a file of the same folder", CheckpointException.Show(name));
            files[name] = new WeightFile(section.Long("bytes") ?? throw section.Bad("bytes", "a length", "none"), section.Text("sha256") ?? "");
        }

        if (weights.Count == 0 && !isUnfinished)
            throw root.Bad("weights", "formats by name", "none");
        return new IntegerManifest(root.Text("method") ?? "", root.Text("quantization") ?? "", root.Text("source") ?? "", weights.ToImmutable(), files.ToImmutable());
    }

    /// <summary>Writes the manifest.</summary>
    public void Write(Stream stream)
    {
        using Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteString("method", Method);
        json.WriteString("quantization", Quantization);
        json.WriteString("source", Source);
        json.WriteStartObject("files");
        foreach ((string name, WeightFile file) in Files)
        {
            json.WriteStartObject(name);
            json.WriteNumber("bytes", file.Bytes);
            json.WriteString("sha256", file.Sha256);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("weights");
        foreach ((string name, IntegerWeight weight) in Weights)
        {
            json.WriteStartObject(name);
            json.WriteNumber("bits", weight.Format.Elements.ElementBits());
            json.WriteNumber("group_size", weight.Format.GroupSize);
            json.WriteBoolean("zero_points", weight.Format.HasZeroPoints);
            json.WriteBoolean("group_index", weight.Format.HasGroupIndex);
            json.WriteNumber("outputs", weight.Shape[0]);
            json.WriteNumber("inputs", weight.Shape[1]);
            json.WriteNumber("relative_l2", weight.RelativeL2);
            if (weight.OutputError is { } found)
                json.WriteNumber("output_error", found);
            if (weight.RoundingError is { } plain)
                json.WriteNumber("output_error_rtn", plain);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Compares the lengths of all files, which is quick.</summary>
    /// <exception cref="CheckpointException">A file is missing or of another length.</exception>
    public void RequireFiles(string directory)
    {
        foreach ((string name, WeightFile file) in Files)
        {
            var info = new FileInfo(Path.Combine(directory, name));
            if (!info.Exists || info.Length != file.Bytes)
                throw new CheckpointException(info.FullName, "file", $"{file.Bytes} bytes, as {FileName} says", info.Exists ? $"{info.Length}" : "no such file");
        }
    }

    /// <summary>Reads all files and compares their checksums.</summary>
    /// <exception cref="CheckpointException">A file is not the one that was written.</exception>
    public void RequireChecksums(string directory, CancellationToken cancellation)
    {
        RequireFiles(directory);
        foreach ((string name, WeightFile file) in Files)
        {
            cancellation.ThrowIfCancellationRequested();
            string path = Path.Combine(directory, name), found = ChecksumOf(path);
            if (found != file.Sha256)
                throw new CheckpointException(path, "checksum", $"{file.Sha256}, as {FileName} says", found);
        }
    }

    /// <summary>SHA-256 of a file, in hexadecimal digits.</summary>
    public static string ChecksumOf(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static WeightFormat ReadFormat(ConfigSection section)
    {
        int bits = section.Integer("bits", 0, 64) ?? 0, size = section.Integer("group_size", 0, MaximumSize) ?? 0;
        bool hasZeros = section.Truth("zero_points") ?? false, hasIndex = section.Truth("group_index") ?? false;
        if (bits is not (4 or 8))
            throw section.Bad("bits", "4 or 8", $"{bits}");
        if (bits == 8 && size == 0 && !hasZeros && !hasIndex)
            return WeightFormat.Int8;
        return size > 0 && size % 8 == 0 ? WeightFormat.Grouped(bits, size, hasZeros, hasIndex) : throw section.Bad("group_size", "a multiple of 8, or 0 of 8 bits", $"{size}");
    }

    private static Shape ReadShape(ConfigSection section) =>
        new(section.Integer("outputs", 1, MaximumSize) ?? throw section.Bad("outputs", "a size", "none"), section.Integer("inputs", 1, MaximumSize) ?? throw section.Bad("inputs", "a size", "none"));
}

/// <summary>A weight of integers.</summary>
/// <param name="Format">How it is stored.</param>
/// <param name="Shape">[out, in].</param>
/// <param name="RelativeL2">What its rounding lost; 0 where the source had these integers.</param>
public readonly record struct IntegerWeight(WeightFormat Format, Shape Shape, double RelativeL2)
{
    /// <summary>What its rounding lost of the linear's results on calibration inputs, in relative L2; null without calibration.</summary>
    public double? OutputError { get; init; }

    /// <summary>What rounding to nearest would have lost of them.</summary>
    public double? RoundingError { get; init; }
}

/// <summary>Length and checksum of a file.</summary>
public readonly record struct WeightFile(long Bytes, string Sha256);
