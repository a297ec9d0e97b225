using XComposer2.Native.Graph;

namespace XComposer2.Native.GpuTests;

/// <summary>What follows a product, in double precision, with the bound on a kernel's error carried through. No slope is beyond 1.13, and the
/// approximations of the device are within a few units in the last place of F32.</summary>
internal static class References
{
    private const double Slope = 1.13;
    private const double Approximation = 1.0 / (1 << 21);

    public static (double Value, double Bound) Activate(Activation activation, double x, double bound) => activation switch
    {
        Activation.QuickGelu => (x * Sigmoid(1.702 * x), (Slope * bound) + (Approximation * Math.Abs(x))),
        Activation.Gelu => (0.5 * x * ErrorFunction.Complement(-x / Math.Sqrt(2)), (Slope * bound) + (Approximation * Math.Abs(x))),
        _ => (x, bound),
    };

    public static (double Value, double Bound) Gate(double gate, double gateBound, double up, double upBound)
    {
        double activated = gate * Sigmoid(gate);
        double bound = (Slope * gateBound * Math.Abs(up)) + (Math.Abs(activated) * upBound) + (gateBound * upBound);
        return (activated * up, bound + (Approximation * Math.Abs(gate * up)));
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
