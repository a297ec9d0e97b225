namespace XComposer2.Native.GpuTests;

/// <summary>erfc in double precision.</summary>
internal static class ErrorFunction
{
    /// <summary>1 - erf(x): the integral of the series for small |x|, the continued fraction (Lentz) for large ones.</summary>
    public static double Complement(double x)
    {
        if (x < 0) return 2 - Complement(-x);
        return x < 2.5 ? 1 - Series(x) : Fraction(x);
    }

    // erf(x) = 2 / sqrt(pi) e^-x² sum 2^n x^(2n+1) / (2n+1)!!: all terms positive.
    private static double Series(double x)
    {
        double term = x, sum = x;
        for (int n = 1; term > sum * 1e-17; n++)
            sum += term *= 2 * x * x / ((2 * n) + 1);
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    // erfc(x) = e^-x² / (sqrt(pi) (x + (1/2) / (x + 1 / (x + (3/2) / (x + ...))))), from the end.
    private static double Fraction(double x)
    {
        double denominator = x;
        for (int n = 200; n >= 1; n--)
            denominator = x + (n / 2.0 / denominator);
        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * denominator);
    }
}
