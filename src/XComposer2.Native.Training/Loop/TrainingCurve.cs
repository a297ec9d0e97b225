using System.Globalization;
using System.Text;

namespace XComposer2.Native.Training;

/// <summary>Losses, exact answers and rates of a run as a picture: SVG of a fixed width, whatever the number of steps.</summary>
internal sealed class TrainingCurve
{
    private const int Width = 960, Left = 64, Right = 936, LossHeight = 320, SmallHeight = 90, Gap = 44, Top = 56;

    // More points than pixels show nothing; means of neighbours do.
    private const int MostPoints = 600;

    private const string Learnt = "#2563eb", HeldOut = "#ea580c", Rate = "#64748b", Grid = "#e2e8f0", Ink = "#334155";

    private readonly List<(double Step, double Loss, double Rate)> steps = [];
    private readonly List<(double Step, double Loss, double Exact)> scores = [];

    /// <summary>Steps after which held-out samples were scored last; -1 for never.</summary>
    public int LastScored => HasScores ? (int)scores[^1].Step : -1;

    private bool HasScores => scores.Count > 0;

    public void Add(int step, double loss, double rate) => steps.Add((step, loss, rate));

    public void AddHeldOut(int step, double loss, double exact) => scores.Add((step, loss, exact));

    public string ToSvg()
    {
        int height = Top + LossHeight + Gap + (HasScores ? SmallHeight + Gap : 0) + SmallHeight + Gap;
        double last = Math.Max(1, Math.Max(steps.Count > 0 ? steps[^1].Step : 0, HasScores ? scores[^1].Step : 0));
        var svg = new StringBuilder();
        Line(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"{Ink}\">");
        Line(svg, $"<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>");
        Title(svg, last);
        var losses = steps.ConvertAll(step => (step.Step, step.Loss));
        List<(double, double)> smooth = Smoothed(losses), held = scores.ConvertAll(score => (score.Step, score.Loss));
        double[] shown = [.. smooth.Concat(held).Select(point => point.Item2).Where(double.IsFinite)];
        (double low, double high) = shown.Length == 0 ? (0, 1) : (shown.Min(), shown.Max());
        double margin = Math.Max(0.08 * (high - low), 0.02 * Math.Max(1e-3, high));
        var panel = new Panel(Top, LossHeight, 0, last, Math.Max(0, low - margin), high + margin);
        Axes(svg, panel, "loss", Number, ticks: 6);
        Path(svg, panel, Thinned(losses), Learnt, 1, 0.45);
        Path(svg, panel, Thinned(smooth), Learnt, 2.2, 1);
        Path(svg, panel, held, HeldOut, 2, 1);
        Dots(svg, panel, held);
        int top = Top + LossHeight + Gap;
        if (HasScores)
        {
            var exact = new Panel(top, SmallHeight, 0, last, 0, 1);
            Axes(svg, exact, "exact answers, held out", value => value.ToString("P0", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal));
            List<(double, double)> points = scores.ConvertAll(score => (score.Step, score.Exact));
            Path(svg, exact, points, HeldOut, 2, 1);
            Dots(svg, exact, points);
            top += SmallHeight + Gap;
        }

        var rate = new Panel(top, SmallHeight, 0, last, 0, Math.Max(1e-12, steps.Count == 0 ? 0 : steps.Max(step => step.Rate)) * 1.1);
        Axes(svg, rate, "learning rate", value => value == 0 ? "0" : value.ToString("0.#e0", CultureInfo.InvariantCulture));
        Path(svg, rate, Thinned(steps.ConvertAll(step => (step.Step, step.Rate))), Rate, 2, 1);
        Line(svg, $"<text x=\"{(Left + Right) / 2}\" y=\"{height - 8}\" text-anchor=\"middle\">step</text>");
        Line(svg, $"</svg>");
        return svg.ToString();
    }

    private void Title(StringBuilder svg, double last)
    {
        Line(svg, $"<text x=\"{Left}\" y=\"26\" font-size=\"16\" font-weight=\"600\">{last:F0} {(last == 1 ? "step" : "steps")}</text>");
        int x = Right - 4;
        if (HasScores)
            x = Legend(svg, x, HeldOut, $"held out {Number(scores[^1].Loss)}, {(scores[^1].Exact * 100).ToString("0.#", CultureInfo.InvariantCulture)}% exact");
        if (steps.Count > 0)
            _ = Legend(svg, x, Learnt, $"learnt {Number(Smoothed(steps.ConvertAll(step => (step.Step, step.Loss)))[^1].Value)} (smoothed)");
    }

    private static int Legend(StringBuilder svg, int right, string colour, string text)
    {
        int left = right - (int)(text.Length * 6.6);
        Line(svg, $"<text x=\"{right}\" y=\"26\" text-anchor=\"end\">{text}</text>");
        Line(svg, $"<line x1=\"{left - 28}\" x2=\"{left - 8}\" y1=\"22\" y2=\"22\" stroke=\"{colour}\" stroke-width=\"3\"/>");
        return left - 48;
    }

    private static void Axes(StringBuilder svg, Panel panel, string title, Func<double, string> label, int ticks = 2)
    {
        Line(svg, $"<text x=\"{Left}\" y=\"{panel.Top - 8}\" font-weight=\"600\">{title}</text>");
        foreach (double value in Ticks(panel.Low, panel.High, ticks))
        {
            Line(svg, $"<line x1=\"{Left}\" x2=\"{Right}\" y1=\"{panel.Y(value):F1}\" y2=\"{panel.Y(value):F1}\" stroke=\"{Grid}\"/>");
            Line(svg, $"<text x=\"{Left - 8}\" y=\"{panel.Y(value) + 4:F1}\" text-anchor=\"end\">{label(value)}</text>");
        }

        foreach (double value in Ticks(panel.First, panel.Last, 8))
            if (value == Math.Floor(value))
                Line(svg, $"<text x=\"{panel.X(value):F1}\" y=\"{panel.Top + panel.Height + 16}\" text-anchor=\"middle\">{value:F0}</text>");
        Line(svg, $"<line x1=\"{Left}\" x2=\"{Right}\" y1=\"{panel.Top + panel.Height}\" y2=\"{panel.Top + panel.Height}\" stroke=\"{Ink}\"/>");
    }

    private static void Path(StringBuilder svg, Panel panel, List<(double Step, double Value)> points, string colour, double width, double opacity)
    {
        string place = string.Join(' ', points.Where(point => double.IsFinite(point.Value)).Select(point => string.Create(CultureInfo.InvariantCulture, $"{panel.X(point.Step):F1},{panel.Y(point.Value):F1}")));
        if (place.Length > 0)
            Line(svg, $"<polyline points=\"{place}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\" stroke-linejoin=\"round\"/>");
    }

    private static void Dots(StringBuilder svg, Panel panel, List<(double Step, double Value)> points)
    {
        if (points.Count <= 60)
            foreach ((double step, double value) in points)
                Line(svg, $"<circle cx=\"{panel.X(step):F1}\" cy=\"{panel.Y(value):F1}\" r=\"3\" fill=\"{HeldOut}\"/>");
    }

    // A mean whose weights fall by a twentieth of the points, and which begins without a bias.
    private static List<(double Step, double Value)> Smoothed(List<(double Step, double Value)> points)
    {
        double keep = 1 - (1 / Math.Clamp(points.Count / 20.0, 1, 100)), sum = 0, weight = 0;
        return points.ConvertAll(point =>
        {
            sum = (keep * sum) + ((1 - keep) * point.Value);
            weight = (keep * weight) + (1 - keep);
            return (point.Step, sum / weight);
        });
    }

    private static List<(double Step, double Value)> Thinned(List<(double Step, double Value)> points)
    {
        int size = (points.Count + MostPoints - 1) / MostPoints;
        return size <= 1 ? points : [.. points.Chunk(size).Select(chunk => (chunk.Average(point => point.Step), chunk.Average(point => point.Value)))];
    }

    // Round values, about so many.
    private static IEnumerable<double> Ticks(double low, double high, int count)
    {
        double rough = (high - low) / count, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        for (double i = Math.Ceiling((low / step) - 1e-9) + 0.0; i * step <= high + (1e-9 * step); i++)
            yield return i * step;
    }

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 0.1 ? "0.###" : "0.####", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private readonly record struct Panel(int Top, int Height, double First, double Last, double Low, double High)
    {
        public double X(double step) => Left + ((step - First) / (Last - First) * (Right - Left));

        // Single steps may lie far beyond what is shown of them.
        public double Y(double value) => Top + (Height * (1 - ((Math.Clamp(value, Low, High) - Low) / (High - Low))));
    }
}
