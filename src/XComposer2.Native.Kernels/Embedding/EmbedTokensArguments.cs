using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>embedding/embed_tokens.cu</c> declares it.</summary>
/// <param name="Ids">I32 [tokens].</param>
/// <param name="Table">[vocabulary, columns].</param>
/// <param name="Visual">F32 [visual rows, columns]; null for none.</param>
/// <param name="VisualRow">I32 [tokens], negative for text; null where all is text.</param>
/// <param name="Output">F32 [tokens, columns].</param>
/// <param name="Tokens">Tokens.</param>
/// <param name="Vocabulary">Rows of the table.</param>
/// <param name="VisualRows">Rows of the visual matrix.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct EmbedTokensArguments(DevicePointer Ids, DevicePointer Table, DevicePointer Visual, DevicePointer VisualRow, DevicePointer Output, uint Tokens, uint Vocabulary, uint VisualRows);
