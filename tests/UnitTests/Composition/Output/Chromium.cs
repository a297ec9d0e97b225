using System.Diagnostics;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>An installed Chromium browser.</summary>
internal static class Chromium
{
    private static readonly string[] names = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>Opens a page in headless mode.</summary>
    /// <param name="page">The page.</param>
    /// <param name="isDark">Whether the reader prefers dark pages.</param>
    /// <param name="files">Files beside the page, by path.</param>
    /// <returns>A screenshot and the browser's log.</returns>
    public static async Task<(RgbImage Picture, string Log)> OpenAsync(string page, bool isDark = false, params (string Path, ReadOnlyMemory<byte> Bytes)[] files)
    {
        (byte[] file, string log) = await RunAsync(page, files, "page.png", output =>
            ["--hide-scrollbars", "--window-size=1000,1400", $"--screenshot={output}", .. isDark ? ["--blink-settings=preferredColorScheme=0"] : Array.Empty<string>()]);
        return (ImageDecoder.Decode(file, "page.png", ImageLimits.Default), log);
    }

    /// <summary>Prints a page.</summary>
    /// <returns>The PDF as Latin-1.</returns>
    public static async Task<string> PrintAsync(string page) =>
        System.Text.Encoding.Latin1.GetString((await RunAsync(page, [], "page.pdf", output => ["--no-pdf-header-footer", $"--print-to-pdf={output}"])).File);

    private static async Task<(byte[] File, string Log)> RunAsync(string page, (string Path, ReadOnlyMemory<byte> Bytes)[] files, string name, Func<string, string[]> specific)
    {
        string? browser = names.SelectMany(candidate => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(place => Path.Combine(place, candidate))).FirstOrDefault(File.Exists);
        if (browser is null)
            Assert.Skip("Chromium is not installed");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("xc2-page-");
        try
        {
            string source = Path.Combine(folder.FullName, "page.html"), target = Path.Combine(folder.FullName, name);
            await File.WriteAllTextAsync(source, page, TestContext.Current.CancellationToken);
            foreach ((string path, ReadOnlyMemory<byte> bytes) in files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder.FullName, path))!);
                await File.WriteAllBytesAsync(Path.Combine(folder.FullName, path), bytes, TestContext.Current.CancellationToken);
            }

            ProcessStartInfo start = new(browser) { RedirectStandardError = true, RedirectStandardOutput = true };
            string[] arguments =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr", $"--user-data-dir={Path.Combine(folder.FullName, "profile")}", .. specific(target), new Uri(source).AbsoluteUri,
            ];
            foreach (string argument in arguments)
                start.ArgumentList.Add(argument);
            using Process process = Process.Start(start)!;
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            Task<string> log = process.StandardError.ReadToEndAsync(limit.Token), output = process.StandardOutput.ReadToEndAsync(limit.Token);
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }

            await output;
            return (await File.ReadAllBytesAsync(target, TestContext.Current.CancellationToken), await log);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
