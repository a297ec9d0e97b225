using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Mutation tests of the kernel tests: each mutation in a copy of the kernels must make a test fail. The tests run as separate processes, because a
/// device does not survive a fault.</summary>
public sealed class MutationTests(GpuDevice device)
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("missing barrier in prefill", "gemm/prefill_pipeline.cuh", "        __syncthreads();\n        const u32 stage", "        const u32 stage", "*LinearPrefillTests.The_residual_stream_stays_in_f32")]
    [InlineData("missing last slice of K", "gemm/prefill_tile.cuh", "(IN_FEATURES + BLOCK_K - 1) / BLOCK_K;", "(IN_FEATURES + BLOCK_K - 1) / BLOCK_K - 1;", "*LinearPrefillTests.The_residual_stream_stays_in_f32")]
    [InlineData("missing barrier in decode", "gemm/linear_decode.cu", "        __syncthreads();\n        if (place", "        if (place", "*LinearDecodeTests.Gate_and_up_meet")]
    [InlineData("missing scale of Partial LoRA", "gemm/lora_down.cu", " * args.scale : 0.0f", " : 0.0f", "*LoraDownTests.Visual_rows_are_computed_and_text_rows_are_zero")]
    [InlineData("keys of another head", "attention/prefill_attention.cu", "blockIdx.x / GROUP_SIZE,", "blockIdx.x % KEY_VALUE_HEADS,", "*PrefillAttentionTests.Query_heads_of_a_group_share_keys")]
    [InlineData("row past the end not masked", "attention/prefill_attention.cu", "tile.span.past_length + tile.first_row + 1;", "tile.span.past_length + tile.first_row + 2;", "*PrefillAttentionTests.Rows_attend_to_past_and_current_keys")]
    [InlineData("missing scales of int8 weights", "gemm/linear_decode.cu", "            sums[i] *= static_cast<const float*>(args.weight_scale)[output + 8 * i];", "            sums[i] *= 1.0f;", "*LinearDecodeTests.Int8_weights_are_exact")]
    [InlineData("Partial LoRA scaled like int8 weights", "gemm/linear_prefill.cu", "    if constexpr (HAS_BIAS)\n        add_bias(sums, args.bias);\n#if", "    if constexpr (WEIGHT_INT8)\n        scale_sums(sums, args.weight_scale);\n    if constexpr (HAS_BIAS)\n        add_bias(sums, args.bias);\n#if", "*LinearPrefillTests.Int8_weights_are_exact_and_partial_lora_is_not_scaled")]
    [InlineData("sign of negative int8 weights lost", "gemm/int8_weights.cuh", "word ^ 0x80808080u", "(word & 0x7F7F7F7Fu) ^ 0x80808080u", "*LinearDecodeTests.Int8_weights_are_exact")]
    [InlineData("slice given away before the product", "gemm/wgmma_pipeline.cuh", "        multiply_stage(sums, ring.receive_slice());\n        ring.release_slice();", "        ring.release_slice();\n        multiply_stage(sums, ring.receive_slice());", "*LinearWgmmaTests.Slices_go_round_the_stages")]
    [InlineData("Partial LoRA of the gate in the up's columns", "gemm/wgmma_lora.cuh", "which == 0, which == 1", "true, true", "*LinearWgmmaTests.Gate_and_up_meet_and_have_a_partial_lora_each")]
    public void Mutation_makes_a_test_fail(string what, string file, string was, string becomes, string test)
    {
        string source = File.ReadAllText(RepositoryPaths.Find("kernels/" + file));
        Assert.True(source.Contains(was, StringComparison.Ordinal), $"kernels/{file} no longer contains '{was}': update the mutation");
        (int exitCode, string output) = Run(file, source.Replace(was, becomes, StringComparison.Ordinal), test);
        Assert.DoesNotContain("[SKIP]", output, StringComparison.Ordinal);
        Assert.True(exitCode != 0 && output.Contains("[FAIL]", StringComparison.Ordinal), $"{what}: no test failed: {output}");
    }

    /// <summary>Without a mutation the same processes pass, so that failures are due to the mutation.</summary>
    [Theory]
    [InlineData("*LinearPrefillTests.The_residual_stream_stays_in_f32")]
    [InlineData("*LinearDecodeTests.Gate_and_up_meet")]
    [InlineData("*LoraDownTests.Visual_rows_are_computed_and_text_rows_are_zero")]
    [InlineData("*PrefillAttentionTests.Query_heads_of_a_group_share_keys")]
    public void Unmodified_kernels_pass(string test)
    {
        const string File = "gemm/lora_down.cu";
        (int exitCode, string output) = Run(File, System.IO.File.ReadAllText(RepositoryPaths.Find("kernels/" + File)), test);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("Total: 0,", output, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output) Run(string file, string source, string test)
    {
        Assert.NotNull(device.Context);
        string folder = Directory.CreateTempSubdirectory("xc2-mutation-").FullName;
        try
        {
            foreach (string path in Directory.EnumerateFiles(RepositoryPaths.Find("kernels"), "*.cu*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(folder, Path.GetRelativePath(RepositoryPaths.Find("kernels"), path));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(path, target);
            }

            File.WriteAllText(Path.Combine(folder, file), source);
            var start = new ProcessStartInfo(Environment.ProcessPath!, ["-noLogo", "-noColor", "-method", test]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment[GpuDevice.KernelsVariable] = folder;
            if (test.Contains("Wgmma", StringComparison.Ordinal))
                start.Environment["XC2_EMULATED_ARCH"] = "90";
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(limit))
            {
                process.Kill(entireProcessTree: true);
                Assert.Fail($"timeout after {limit.TotalMinutes} minutes");
            }

            return (process.ExitCode, output.Result + errors.Result);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
