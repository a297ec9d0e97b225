using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace XComposer2.Native.ServeBench;

/// <summary>Requests of the benchmark, and clients that measure their answers.</summary>
internal static class Requests
{
    public const string Prompt = "How many shapes are there?";

    /// <summary>A streamed answer of exactly so many tokens.</summary>
    public static string Stream(int tokens) => $$"""{"prompt":"{{Prompt}}","max_tokens":{{tokens}},"temperature":0,"ignore_eos":true,"stream":true}""";

    /// <summary>A question about a picture.</summary>
    public static string AboutPicture(byte[] png) =>
        $$$"""{"temperature":0,"max_tokens":24,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{Convert.ToBase64String(png)}}}"}},{"type":"text","text":"Describe this image."}]}]}""";

    public static string Question(int number) => $$"""{"temperature":0,"max_tokens":24,"messages":[{"role":"user","content":"{{Prompt}} {{number}}"}]}""";

    /// <summary>Reads a stream; the mean time of a token after the first, in seconds.</summary>
    public static async Task<(double PerToken, string Text)> MeasureStreamAsync(HttpClient http, int tokens)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(Stream(tokens), Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync().ConfigureAwait(false));
        long first = 0, last = 0;
        var text = new StringBuilder();
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
                continue;
            last = Stopwatch.GetTimestamp();
            first = first == 0 ? last : first;
            using JsonDocument chunk = JsonDocument.Parse(line.AsMemory(6));
            text.Append(chunk.RootElement.GetProperty("choices")[0].GetProperty("text").GetString());
        }

        return (Stopwatch.GetElapsedTime(first, last).TotalSeconds / (tokens - 1), text.ToString());
    }

    /// <returns>The status.</returns>
    public static async Task<int> AskAsync(HttpClient http, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content).ConfigureAwait(false);
        await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
        return (int)response.StatusCode;
    }

    /// <summary>A picture (PNG) that no other number has: no cache knows its bytes or its pixels.</summary>
    public static byte[] Picture(int number)
    {
        const int Side = 64;
        using var data = new MemoryStream();
        using (var packed = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
            for (int row = 0; row < Side; row++)
            {
                // No filter.
                packed.WriteByte(0);
                for (int column = 0; column < Side; column++)
                    packed.Write([(byte)(number + row), (byte)((number >> 8) + column), (byte)(number >> 16)]);
            }

        return [0x89, .. "PNG\r\n\u001a\n"u8, .. Chunk("IHDR"u8, [0, 0, 0, Side, 0, 0, 0, Side, 8, 2, 0, 0, 0]), .. Chunk("IDAT"u8, data.ToArray()), .. Chunk("IEND"u8, [])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        byte[] chunk = [0, 0, 0, 0, .. name, .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc(chunk.AsSpan(4, name.Length + content.Length)));
        return chunk;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte one in bytes)
        {
            crc ^= one;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
        }

        return ~crc;
    }
}
