namespace XComposer2.Native.Graph;

/// <summary>Weights by the names that a graph uses. Addresses stay valid until the source is disposed.</summary>
public interface IWeightSource : IDisposable
{
    /// <summary>False where no tensor of this name exists.</summary>
    bool TryGet(string name, out HostTensor tensor);
}
