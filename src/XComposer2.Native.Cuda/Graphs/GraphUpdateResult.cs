namespace XComposer2.Native.Cuda;

/// <summary><c>CUgraphExecUpdateResult</c>: whether an instantiated graph took over another capture, or why not.</summary>
public enum GraphUpdateResult
{
    Success = 0,
    Error = 1,
    ErrorTopologyChanged = 2,
    ErrorNodeTypeChanged = 3,
    ErrorFunctionChanged = 4,
    ErrorParametersChanged = 5,
    ErrorNotSupported = 6,
    ErrorUnsupportedFunctionChange = 7,
    ErrorAttributesChanged = 8,
}
