using Microsoft.Playwright;
using XComposer2.Native.Server;
using XComposer2.Native.UnitTests;
using Xunit;

[assembly: AssemblyFixture(typeof(XComposer2.Native.PageTests.PageHost))]

namespace XComposer2.Native.PageTests;

/// <summary>A server with the demo checkpoint and the browser that this machine has, for all tests.</summary>
public sealed class PageHost : IAsyncLifetime
{
    private static readonly string[] names = ["chromium", "chromium-browser", "google-chrome"];

    private readonly string? executable = names
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    private XComposerServer? server;
    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Of the server, with a slash at the end.</summary>
    public string Address => server!.Addresses[0] + "/";

    public static EngineOptions Engine => new()
    {
        ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2 },
        Limits = new EngineLimits { Sequences = 4, CacheBytes = 64 << 20 },
    };

    public async ValueTask InitializeAsync()
    {
        server = await XComposerServer.StartAsync(new ServerOptions { Port = 0, Log = LogStyle.None }, TestContext.Current.CancellationToken);
        await server.LoadAsync(Engine, TestContext.Current.CancellationToken);
        if (executable is null)
            return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = executable,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        if (server is not null)
            await server.DisposeAsync();
    }

    /// <summary>Opens the page as a person who was never here before; skips the test where there is no browser.</summary>
    /// <param name="look">Theme, size and language.</param>
    /// <param name="prepare">Called before the page is loaded.</param>
    /// <param name="address">Of another server.</param>
    internal async Task<PageVisit> VisitAsync(Look? look = null, Func<IPage, Task>? prepare = null, string? address = null)
    {
        Assert.SkipUnless(browser is not null, "Chromium is not installed");
        look ??= new Look();
        IBrowserContext context = await browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = look.IsPhone ? new ViewportSize { Width = 390, Height = 844 } : new ViewportSize { Width = 1280, Height = 860 },
            ColorScheme = look.IsDark ? ColorScheme.Dark : ColorScheme.Light, Locale = look.Language, HasTouch = look.IsPhone, IsMobile = look.IsPhone, DeviceScaleFactor = look.IsPhone ? 2 : 1,
            Permissions = ["clipboard-read", "clipboard-write", "camera"],
        });
        context.SetDefaultTimeout(20_000);
        IPage page = await context.NewPageAsync();
        var visit = new PageVisit(context, page);
        if (prepare is not null)
            await prepare(page);
        await page.GotoAsync(address ?? Address);
        await page.Locator("html[data-ready]").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
        return visit;
    }
}

/// <summary>How a person sees the page.</summary>
internal sealed record Look(bool IsDark = false, bool IsPhone = false, string Language = "en-GB");

/// <summary>One visit. What the browser complained about is a failure at its end.</summary>
internal sealed class PageVisit : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly List<string> complaints = [];

    public PageVisit(IBrowserContext context, IPage page)
    {
        (this.context, Page) = (context, page);
        page.Console += (_, message) => { if (message.Type is "error" or "warning") complaints.Add(message.Text); };
        page.PageError += (_, error) => complaints.Add(error);
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public IPage Page { get; }

    /// <summary>Everything that was asked for.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Complaints of the browser that the test causes.</summary>
    public List<string> Expected { get; } = [];

    public ILocator Question => Page.Locator("#question-text");

    public ILocator Answers => Page.Locator(".answered .text[aria-busy=false]");

    /// <summary>Adds pictures of the demo to the question.</summary>
    public Task AddAsync(params string[] pictures) => Page.SetInputFilesAsync("#files", pictures.Select(name => TestPaths.Repository("tools/demo/pictures/" + name)));

    /// <summary>Asks, and waits for the answer.</summary>
    /// <returns>Its text.</returns>
    public async Task<string> AskAsync(string text)
    {
        int before = await Answers.CountAsync();
        await Question.FillAsync(text);
        await Question.PressAsync("Enter");
        await Answers.Nth(before).WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
        return await Answers.Nth(before).InnerTextAsync();
    }

    /// <summary>Saves what the page looks like, where XC2_PAGE_SCREENS names a folder.</summary>
    public async Task ShowAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("XC2_PAGE_SCREENS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png") });
    }

    public async ValueTask DisposeAsync()
    {
        await context.DisposeAsync();
        Assert.DoesNotContain(complaints, complaint => !Expected.Exists(expected => complaint.Contains(expected, StringComparison.Ordinal)));
    }
}
