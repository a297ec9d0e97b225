namespace XComposer2.Native.UnitTests;

/// <summary>The normal distribution in doubles, accurate to the last digits in the tail.</summary>
public static class NormalTail
{
    /// <summary>x times the cumulative distribution at x: x * (1 + erf(x / sqrt 2)) / 2.</summary>
    public static double Gelu(double x) => x >= 0 ? x * (1 - Beyond(x)) : x * Beyond(-x);

    // The series of erf near zero, Laplace's continued fraction in the tail; both converge to the last digit in their ranges.
    private static double Beyond(double x)
    {
        double density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (x < 3)
        {
            double term = x, sum = x;
            for (int n = 3; n < 200; n += 2)
            {
                term *= x * x / n;
                sum += term;
            }

            return 0.5 - (density * sum);
        }

        double fraction = 0;
        for (int k = 400; k > 0; k--)
            fraction = k / (x + fraction);
        return density / (x + fraction);
    }
}
