using System.Diagnostics;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>An installed Chromium browser.</summary>
internal static class Chromium
{
    private static readonly string[] names = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>Opens a page in headless mode.</summary>
    /// <returns>A screenshot and the browser's log.</returns>
    public static async Task<(RgbImage Picture, string Log)> OpenAsync(string page, bool isDark = false)
    {
        string? browser = names.SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (browser is null)
            Assert.Skip("Chromium is not installed");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("xc2-page-");
        try
        {
            string file = Path.Combine(folder.FullName, "page.html"), picture = Path.Combine(folder.FullName, "page.png");
            await File.WriteAllTextAsync(file, page, TestContext.Current.CancellationToken);
            ProcessStartInfo start = new(browser) { RedirectStandardError = true, RedirectStandardOutput = true };
            string[] arguments =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr", "--window-size=1000,1400",
                $"--user-data-dir={Path.Combine(folder.FullName, "profile")}", $"--screenshot={picture}", .. isDark ? ["--blink-settings=preferredColorScheme=0"] : Array.Empty<string>(), new Uri(file).AbsoluteUri,
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
            return (ImageDecoder.DecodeFile(picture, ImageLimits.Default), await log);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
