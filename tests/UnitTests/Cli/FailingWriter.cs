using System.Text;

namespace XComposer2.Native.UnitTests;

/// <summary>A writer whose writes fail.</summary>
internal sealed class FailingWriter(Func<Exception> failure) : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => throw failure();

    public override void Write(string? value) => throw failure();
}
