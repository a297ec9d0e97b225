using System.Globalization;
using System.Net;
using System.Text;

namespace XComposer2.Native.Cli;

/// <summary>A roofline of <c>xc2 bench kernels</c> as an SVG image: operations per byte against TFLOP/s, both logarithmic, one point for each case, under the
/// limits of reading and of arithmetic. Cases without operations (copies, selections) have no place in it.</summary>
internal static class RooflineSvg
{
    private const double Width = 960, Height = 600, Left = 80, Right = 230, Top = 56, Bottom = 60;

    // Distinct on white and on black, also for readers who do not tell red from green (Okabe and Ito).
    private static readonly string[] colours = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#B8A000"];

    public static string Of(KernelBenchJson report)
    {
        KernelTimeJson[] times = [.. report.Kernels.Where(time => time.Flops > 0 && time.Bytes > 0)];
        double readTera = report.ReadGbPerS / 1e3, ridge = report.MmaTflopPerS / readTera;
        double[] intensities = [ridge, .. times.Select(Intensity)], rates = [report.MmaTflopPerS, .. times.Select(time => time.TflopPerS)];
        Axis x = Axis.Over(intensities, Left, Width - Right), y = Axis.Over(rates, Height - Bottom, Top);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="13" role="img" aria-labelledby="title">
            <title id="title">{Text($"Roofline of {report.Model} on {report.Device}")}</title>
            <rect width="{Width}" height="{Height}" fill="#fff"/>
            <text x="{Left}" y="26" font-size="16" font-weight="bold">{Text($"{report.Model}, {report.Storage}, on {report.Device}")}</text>
            <text x="{Left}" y="44" fill="#555">{Text(string.Create(CultureInfo.InvariantCulture, $"limits measured on the device: {report.ReadGbPerS:0} GB/s, {report.MmaTflopPerS:0} TFLOP/s; L2 {report.L2}{(report.Quick ? "; QUICK: these figures say nothing" : "")}"))}</text>

            """);
        foreach (double tick in x.Ticks)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{x.At(tick):0.#} {Top}V{Height - Bottom}" stroke="#ddd"/><text x="{x.At(tick):0.#}" y="{Height - Bottom + 18}" text-anchor="middle">{tick:G4}</text>""").Append('\n');
        foreach (double tick in y.Ticks)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{Left} {y.At(tick):0.#}H{Width - Right}" stroke="#ddd"/><text x="{Left - 8}" y="{y.At(tick) + 4:0.#}" text-anchor="end">{tick:G4}</text>""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"""
            <text x="{(Left + Width - Right) / 2}" y="{Height - 16}" text-anchor="middle">operations per byte</text>
            <text transform="translate(22 {(Top + Height - Bottom) / 2}) rotate(-90)" text-anchor="middle">TFLOP/s</text>
            <clipPath id="plot"><rect x="{Left}" y="{Top}" width="{Width - Right - Left}" height="{Height - Bottom - Top}"/></clipPath>
            <path clip-path="url(#plot)" d="M{x.At(x.Least):0.#} {y.At(x.Least * readTera):0.#}L{x.At(ridge):0.#} {y.At(report.MmaTflopPerS):0.#}H{Width - Right}" fill="none" stroke="#000" stroke-width="2"/>

            """);
        string[] kernels = [.. times.Select(time => time.Kernel).Distinct()];
        for (int i = 0; i < kernels.Length; i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"""<g fill="{colours[i % colours.Length]}"><circle cx="{Width - Right + 20}" cy="{Top + 8 + (20 * i)}" r="5"/><text x="{Width - Right + 32}" y="{Top + 12 + (20 * i)}" fill="#000">{Text(kernels[i])}</text>""").Append('\n');
            foreach (KernelTimeJson time in times.Where(time => time.Kernel == kernels[i]))
                svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="{x.At(Intensity(time)):0.#}" cy="{y.At(time.TflopPerS):0.#}" r="4" fill-opacity=".75"><title>{Text(string.Create(CultureInfo.InvariantCulture, $"{time.Kernel} {time.Work}: {time.MedianUs:0.0} us, {time.OfLimit:0.00} of the limit"))}</title></circle>""").Append('\n');
            svg.Append("</g>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static double Intensity(KernelTimeJson time) => (double)time.Flops / time.Bytes;

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    // Whole decades of a logarithmic scale.
    private readonly record struct Axis(double Least, double Most, double Start, double End)
    {
        public IEnumerable<double> Ticks
        {
            get
            {
                for (double tick = Least; tick <= Most * 1.001; tick *= 10)
                    yield return tick;
            }
        }

        public static Axis Over(IEnumerable<double> values, double start, double end)
        {
            double[] positive = [.. values.Where(value => value > 0)];
            double least = Math.Floor(Math.Log10(positive.Min())), most = Math.Max(least + 1, Math.Ceiling(Math.Log10(positive.Max())));
            return new Axis(Math.Pow(10, least), Math.Pow(10, most), start, end);
        }

        public double At(double value) => Start + ((End - Start) * (Math.Log10(Math.Max(value, double.Epsilon)) - Math.Log10(Least)) / (Math.Log10(Most) - Math.Log10(Least)));
    }
}
