using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Loop filter (RFC 6386 section 15), applied per macroblock in decoding order.</summary>
internal static class LossyFilter
{
    public static void Run(LossyFrame frame, int column, int row, LossyFilterStrength strength, bool hasInnerEdges, bool isSimple)
    {
        if (strength.Limit == 0) return;
        int outer = 2 * (strength.Limit + 4) + 1, inner = 2 * strength.Limit + 1;
        Plane(frame.Y, frame.Stride, 16, column, row, strength, outer, inner, hasInnerEdges, isSimple);
        if (isSimple) return;
        Plane(frame.U, frame.ChromaStride, 8, column, row, strength, outer, inner, hasInnerEdges, isSimple: false);
        Plane(frame.V, frame.ChromaStride, 8, column, row, strength, outer, inner, hasInnerEdges, isSimple: false);
    }

    private static void Plane(byte[] plane, int stride, int size, int column, int row, LossyFilterStrength strength, int outer, int inner, bool hasInnerEdges, bool isSimple)
    {
        int start = size * (row * stride + column);
        if (column > 0) Edge(plane, start, 1, stride, size, outer, strength, isOuter: true, isSimple);
        if (hasInnerEdges)
            for (int edge = 4; edge < size; edge += 4) Edge(plane, start + edge, 1, stride, size, inner, strength, isOuter: false, isSimple);
        if (row > 0) Edge(plane, start, stride, 1, size, outer, strength, isOuter: true, isSimple);
        if (hasInnerEdges)
            for (int edge = 4; edge < size; edge += 4) Edge(plane, start + edge * stride, stride, 1, size, inner, strength, isOuter: false, isSimple);
    }

    /// <param name="plane">Samples.</param>
    /// <param name="position">First sample after the edge.</param>
    /// <param name="across">Step across the edge.</param>
    /// <param name="along">Step along the edge.</param>
    /// <param name="count">Length of the edge.</param>
    /// <param name="limit">Threshold across the edge.</param>
    /// <param name="strength">Filter parameters of the macroblock.</param>
    /// <param name="isOuter">Whether the edge separates macroblocks.</param>
    /// <param name="isSimple">Whether to use the simple filter.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Edge(byte[] plane, int position, int across, int along, int count, int limit, LossyFilterStrength strength, bool isOuter, bool isSimple)
    {
        for (int index = 0; index < count; index++, position += along)
        {
            int p1 = plane[position - 2 * across], p0 = plane[position - across], q0 = plane[position], q1 = plane[position + across];
            if (4 * Math.Abs(p0 - q0) + Math.Abs(p1 - q1) > limit) continue;
            if (isSimple)
            {
                Two(plane, position, across, p1, p0, q0, q1);
                continue;
            }
            int p3 = plane[position - 4 * across], p2 = plane[position - 3 * across], q2 = plane[position + 2 * across], q3 = plane[position + 3 * across];
            int most = strength.InnerLimit;
            if (Math.Abs(p3 - p2) > most || Math.Abs(p2 - p1) > most || Math.Abs(p1 - p0) > most || Math.Abs(q3 - q2) > most || Math.Abs(q2 - q1) > most || Math.Abs(q1 - q0) > most) continue;
            if (Math.Abs(p1 - p0) > strength.EdgeThreshold || Math.Abs(q1 - q0) > strength.EdgeThreshold) Two(plane, position, across, p1, p0, q0, q1);
            else if (isOuter) Six(plane, position, across, p2, p1, p0, q0, q1, q2);
            else Four(plane, position, across, p1, p0, q0, q1);
        }
    }

    private static void Two(byte[] plane, int position, int across, int p1, int p0, int q0, int q1)
    {
        int step = 3 * (q0 - p0) + Signed(p1 - q1);
        plane[position - across] = Clip(p0 + Small(step + 3));
        plane[position] = Clip(q0 - Small(step + 4));
    }

    private static void Four(byte[] plane, int position, int across, int p1, int p0, int q0, int q1)
    {
        int step = 3 * (q0 - p0), behind = Small(step + 4), half = (behind + 1) >> 1;
        plane[position - 2 * across] = Clip(p1 + half);
        plane[position - across] = Clip(p0 + Small(step + 3));
        plane[position] = Clip(q0 - behind);
        plane[position + across] = Clip(q1 - half);
    }

    private static void Six(byte[] plane, int position, int across, int p2, int p1, int p0, int q0, int q1, int q2)
    {
        int step = Signed(3 * (q0 - p0) + Signed(p1 - q1));
        int near = (27 * step + 63) >> 7, middle = (18 * step + 63) >> 7, far = (9 * step + 63) >> 7;
        plane[position - 3 * across] = Clip(p2 + far);
        plane[position - 2 * across] = Clip(p1 + middle);
        plane[position - across] = Clip(p0 + near);
        plane[position] = Clip(q0 - near);
        plane[position + across] = Clip(q1 - middle);
        plane[position + 2 * across] = Clip(q2 - far);
    }

    private static int Signed(int value) => Math.Clamp(value, -128, 127);

    private static int Small(int value) => Math.Clamp(value >> 3, -16, 15);

    private static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);
}
