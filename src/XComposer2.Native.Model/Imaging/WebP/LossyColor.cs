using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Converts YUV planes to RGB with the bilinear ("fancy") upsampling and fixed-point arithmetic of libwebp.</summary>
internal static class LossyColor
{
    /// <returns>[height, width, 3].</returns>
    public static byte[] Convert(LossyFrame frame, ImageJob job)
    {
        int width = job.Width, height = job.Height, chromaRows = (height + 1) / 2;
        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * width * height);
        byte[] u = new byte[width + 1], v = new byte[width + 1];
        for (int row = 0; row < height; row++)
        {
            if (row % 64 == 0) job.Cancellation.ThrowIfCancellationRequested();
            // Each row lies between two chroma rows, except the outermost ones.
            int near = row / 2, far = Math.Clamp(row % 2 == 0 ? near - 1 : near + 1, 0, chromaRows - 1);
            Widen(Row(frame.U, frame.ChromaStride, near), Row(frame.U, frame.ChromaStride, far), u, width);
            Widen(Row(frame.V, frame.ChromaStride, near), Row(frame.V, frame.ChromaStride, far), v, width);
            ToRgb(frame.Y.AsSpan(row * frame.Stride, width), u, v, pixels.AsSpan(3 * row * width, 3 * width));
        }
        return pixels;
    }

    private static ReadOnlySpan<byte> Row(byte[] plane, int stride, int row) => plane.AsSpan(row * stride, stride);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ReadOnlySpan<byte> near, ReadOnlySpan<byte> far, Span<byte> target, int width)
    {
        target[0] = (byte)((3 * near[0] + far[0] + 2) >> 2);
        for (int pair = 1; pair <= (width - 1) / 2; pair++)
        {
            int sum = near[pair - 1] + near[pair] + far[pair - 1] + far[pair] + 8;
            int falling = (sum + 2 * (near[pair] + far[pair - 1])) >> 3, rising = (sum + 2 * (near[pair - 1] + far[pair])) >> 3;
            target[2 * pair - 1] = (byte)((falling + near[pair - 1]) >> 1);
            target[2 * pair] = (byte)((rising + near[pair]) >> 1);
        }
        int last = (width - 1) / 2;
        if (width % 2 == 0) target[width - 1] = (byte)((3 * near[last] + far[last] + 2) >> 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToRgb(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> u, ReadOnlySpan<byte> v, Span<byte> target)
    {
        for (int column = 0, index = 0; column < luma.Length; column++, index += 3)
        {
            int y = High(luma[column], 19077);
            target[index] = Clip(y + High(v[column], 26149) - 14234);
            target[index + 1] = Clip(y - High(u[column], 6419) - High(v[column], 13320) + 8708);
            target[index + 2] = Clip(y + High(u[column], 33050) - 17685);
        }
    }

    private static int High(int value, int factor) => (value * factor) >> 8;

    private static byte Clip(int value) => (byte)Math.Clamp(value >> 6, 0, 255);
}
