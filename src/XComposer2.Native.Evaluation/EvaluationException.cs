namespace XComposer2.Native.Evaluation;

/// <summary>A data set, a file of answers or a judge cannot be used; the message names the file, the row and the column.</summary>
internal sealed class EvaluationException : XComposerException
{
    public EvaluationException(string message)
        : base(message)
    {
    }

    public EvaluationException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
