namespace XComposer2.Native.UnitTests;

/// <summary>The normal distribution in doubles, exact to the last digits however far out.</summary>
public static class NormalTail
{
    /// <summary>x times the probability of less than x: x * (1 + erf(x / sqrt 2)) / 2.</summary>
    public static double Gelu(double x) => x >= 0 ? x * (1 - Beyond(x)) : x * Beyond(-x);

    // Near zero the series of erf, far out the continued fraction of Laplace; both converge to the last digit where they are used.
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
