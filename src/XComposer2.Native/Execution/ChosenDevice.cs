using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A device to run on.</summary>
/// <param name="Backend">The device; the receiver's to dispose.</param>
/// <param name="Note">Why a faster kind was not taken, in a sentence; null where none was passed over.</param>
/// <param name="IsFailure">The note is about a device that seems to be there.</param>
internal readonly record struct ChosenDevice(IBackend Backend, string? Note, bool IsFailure = false);
