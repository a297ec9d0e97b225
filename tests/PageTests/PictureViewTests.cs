using Microsoft.Playwright;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>What the page shows of pictures: the model's square, and boxes of answers.</summary>
public sealed class PictureViewTests(PageHost host)
{
    [Theory]
    [InlineData(443, 217, 84)]
    [InlineData(31, 77, 84)]
    [InlineData(84, 500, 84)]
    [InlineData(640, 480, 490)]
    public async Task Square_has_the_pixels_that_the_model_gets(int width, int height, int size)
    {
        await using PageVisit visit = await host.VisitAsync();
        string seen = await visit.Page.EvaluateAsync<string>("""
            async ([width, height, size]) => {
              const { squeeze } = await import('/page/pictures/square.js');
              const source = new ImageData(width, height);
              for (let place = 0; place < width * height; place++)
                for (let channel = 0; channel < 4; channel++) source.data[4 * place + channel] = channel === 3 ? 9 : (place * 7 + channel * 85 + (place % width) * (place % 13)) & 255;
              const { data } = squeeze(source, size);
              let hex = '';
              for (let place = 0; place < data.length; place += 4) hex += [...data.subarray(place, place + 3)].map(value => value.toString(16).padStart(2, '0')).join('');
              return hex;
            }
            """, new[] { width, height, size });
        byte[] pixels = new byte[3 * width * height];
        for (int place = 0; place < width * height; place++)
            for (int channel = 0; channel < 3; channel++)
                pixels[3 * place + channel] = (byte)(place * 7 + channel * 85 + place % width * (place % 13));
        Assert.Equal(Convert.ToHexStringLower(PillowResize.Bicubic(new RgbImage(width, height, pixels), size, size).Pixels.Span), seen);
    }

    [Fact]
    public async Task Square_of_a_picture_is_one_click_away()
    {
        await using PageVisit visit = await host.VisitAsync();
        await visit.AddAsync("shapes-3.png");
        await visit.Page.GetByLabel("Show what the model sees").ClickAsync();
        ILocator canvas = visit.Page.Locator("canvas[data-ready]");
        await canvas.WaitForAsync();
        Assert.Equal("84", await canvas.GetAttributeAsync("width"));
        await visit.ShowAsync("picture-model");
        await visit.Page.Keyboard.PressAsync("Escape");
        Assert.Equal(0, await visit.Page.Locator("dialog[open]").CountAsync());
    }

    [Fact]
    public async Task Boxes_of_an_answer_lie_on_the_pixels_of_the_picture()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, "I see a red star [250, 0, 750, 500] and the corner [900, 900, 1000, 1000]."));
        await visit.AddAsync("shapes-1.png");
        await visit.AskAsync("Where is the star?");
        ILocator edges = visit.Page.Locator(".boxed .box-edge");
        Assert.Equal(2, await edges.CountAsync());
        Assert.Equal("0 0 336 336", await visit.Page.Locator(".boxed .box-drawing").GetAttributeAsync("viewBox"));
        Assert.Equal(["84", "0", "168", "168"], await Task.WhenAll(((string[])["x", "y", "width", "height"]).Select(name => edges.First.GetAttributeAsync(name))));
        Assert.Equal(["red star", "corner"], await visit.Page.Locator(".box-label").AllInnerTextsAsync());
        Assert.Equal(["84, 0 – 252, 168 px", "302, 302 – 336, 336 px"], await visit.Page.Locator(".box-place").AllInnerTextsAsync());
        await visit.ShowAsync("chat-boxes");
        await visit.Page.Locator(".boxed-picture").ClickAsync();
        await visit.Page.Locator("dialog .box-edge").First.WaitForAsync();
        await visit.ShowAsync("picture-boxes");
    }

    [Theory]
    [InlineData("cat [12, 30, 400, 500]", 1)]
    [InlineData("<ref>cat</ref><box>[[12, 30, 400, 500], [1, 2, 3, 4]]</box>", 2)]
    [InlineData("<box>(12,30),(400,500)</box>", 1)]
    [InlineData("""{"label": "cat", "bbox": [0.1, 0.2, 0.5, 0.9]}""", 1)]
    [InlineData("[400, 30, 12, 500] and [1, 2, 3] and [1, 2, 3, 4, 5] and [10, 10, 2000, 30]", 0)]
    public async Task Boxes_are_found_in_the_forms_that_models_write(string answer, int count)
    {
        await using PageVisit visit = await host.VisitAsync();
        Assert.Equal(count, await visit.Page.EvaluateAsync<int>("async text => (await import('/page/pictures/boxes.js')).findBoxes(text).length", answer));
    }
}
