using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Rotation and cache of the packed projection, done by the linear itself.</summary>
internal readonly record struct FusedRope(int Layer, AttentionGeometry Geometry, float Theta);
