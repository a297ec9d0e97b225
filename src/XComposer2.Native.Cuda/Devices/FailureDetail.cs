using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cuda;

/// <summary>What a call was about, as an interpolated string that is only put together when the call failed.</summary>
[InterpolatedStringHandler]
internal ref struct FailureDetail
{
    private DefaultInterpolatedStringHandler text;

    public FailureDetail(int literalLength, int formattedCount, CudaResult result, out bool isNeeded)
    {
        isNeeded = result != CudaResult.Success;
        text = isNeeded ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string value) => text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => text.AppendFormatted(value, format);

    public string Finish() => text.ToStringAndClear();
}
