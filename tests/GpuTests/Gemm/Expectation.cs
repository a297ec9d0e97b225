using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>What an array should hold after a launch: numbers within bounds where something is written, and not-a-number, as allocated, everywhere else.</summary>
internal sealed class Expectation
{
    private readonly double[] values;
    private readonly double[] bounds;

    public Expectation(int count)
    {
        values = new double[count];
        bounds = new double[count];
        Array.Fill(values, double.NaN);
    }

    public void Set(int index, double value, double bound) => (values[index], bounds[index]) = (value, bound);

    public void Check(float[] actual, string what)
    {
        int[] written = [.. Enumerable.Range(0, values.Length).Where(index => !double.IsNaN(values[index]))];
        int stray = Enumerable.Range(0, values.Length).FirstOrDefault(index => double.IsNaN(values[index]) && !float.IsNaN(actual[index]), -1);
        Assert.True(stray < 0, $"{what}: [{stray}] was written, and should not have been");
        Accuracy.Within(
            Array.ConvertAll(written, index => values[index]), Array.ConvertAll(written, index => bounds[index]), Array.ConvertAll(written, index => actual[index]), what);
    }
}
