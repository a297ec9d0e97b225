using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using XComposer2.Native.Planning;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class KernelPredictionTests
{
    private const string Disassembly = """
        	.section	.text.linear,"ax",@progbits
        linear:
        .text.linear:
                /*0000*/                   LDC R1, c[0x0][0x28] ;
                /*0010*/                   LDG.E.64 R2, desc[UR4][R2.64] ;
        .L_x_1:
                /*0020*/                   STS.64 [R4], R2 ;
                /*0030*/               @P1 BRA `(.L_x_1) ;
        .L_x_2:
                /*0040*/              @!P0 LDGSTS.E.BYPASS.LTC128B.128 [R3], desc[UR4][R2.64] ;
        .L_x_5:
                /*0048*/                   SYNCS.PHASECHK.TRANS64.TRYWAIT P2, [R6], R7 ;
                /*004c*/              @!P2 BRA `(.L_x_5) ;
                /*0050*/                   LDSM.16.M88.4 R8, [R5] ;
                /*0060*/                   HMMA.16816.F32.BF16 R12, R8, R10, R12 ;
                /*0070*/                   HMMA.16816.F32.BF16 R16, R8, R10, R16 ;
                /*0080*/                   HGMMA.64x256x16.F32.BF16 R24, gdesc[UR8], R24 ;
        .L_x_3:
                /*0090*/                   IADD3 R0, R0, 0x1, RZ ;
                /*00a0*/               @P0 BRA `(.L_x_2) ;
                /*00b0*/                   EXIT ;
        .L_x_4:
                /*00c0*/                   BRA `(.L_x_4) ;
        """;

    [Fact]
    public void The_loop_with_the_products_is_found_and_counted()
    {
        SassProgram program = SassProgram.Parse(Disassembly);
        Assert.Equal(15, program.Instructions.Length);
        SassLoop loop = program.HotLoop();
        Assert.Equal((4, 12, 9), (loop.First, loop.Last, loop.Instructions));
        Assert.Equal(3, loop.Products);
        // A product of a warp group is four warps' work.
        Assert.Equal((2 * 4096) + (2 * 64 * 256 * 16 / 4), loop.Flops);
        Assert.Equal(32 * 16, loop.ReadBytes);
        Assert.Equal((32 * 16) + 512, loop.SharedBytes);
    }

    /// <summary>A tail with fewer instructions for each product is not what a kernel does most of the time; sums of 16 bits are told from those of 32.</summary>
    [Fact]
    public void A_loop_beside_one_of_twice_the_work_is_no_hot_loop()
    {
        SassLoop loop = SassProgram.Parse("""
            .L_x_0:
            /*0000*/ LDSM.16.M88.4 R8, [R5] ;
            /*0010*/ IADD3 R0, R0, 0x1, RZ ;
            /*0020*/ HMMA.16816.F16 R12, R8, R10, R12 ;
            /*0030*/ HMMA.16816.F16 R12, R8, R10, R12 ;
            /*0040*/ BRA `(.L_x_0) ;
            .L_x_1:
            /*0050*/ HMMA.16816.F32 R12, R8, R10, R12 ;
            /*0060*/ BRA `(.L_x_1) ;
            """).HotLoop();
        Assert.Equal((0, 4, 2, 2 * 4096L, 2 * 4096L), (loop.First, loop.Last, loop.Products, loop.Flops, loop.HalfFlops));
        GpuModel gpu = GpuModel.All.Single(gpu => gpu.Name == "rtx-4090");
        Assert.Equal(1.5 / 0.93, gpu.ProductRate(areOfGroups: false, halfShare: 1) / gpu.ProductRate(areOfGroups: false), 1e-9);
    }

    [Fact]
    public void A_kernel_without_a_working_loop_counts_as_a_whole()
    {
        SassLoop loop = SassProgram.Parse("""
            /*0000*/ LDG.E.128 R2, desc[UR4][R2.64] ;
            /*0010*/ LDG.E.U8 R6, desc[UR4][R2.64] ;
            .L_x_0:
            /*0020*/ BRA `(.L_x_0) ;
            """).HotLoop();
        Assert.Equal((3, 32 * 17), (loop.Instructions, (int)loop.ReadBytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nvdisasm fatal : not an ELF file")]
    public void A_text_without_instructions_is_refused(string text) => Assert.Throws<FormatException>(() => SassProgram.Parse(text));

    [Fact]
    public void Bytes_in_flight_limit_the_rate_of_reading()
    {
        GpuModel gpu = GpuModel.All.Single(gpu => gpu.Name == "h200");
        Assert.Equal(132 * 1024 / 700e-9, gpu.ReadRate(1024), 1.0);
        Assert.Equal(0.925 * 4.8e12, gpu.ReadRate(64 << 10), 1.0);
    }

    [Fact]
    public void A_step_has_every_launch_of_its_graph()
    {
        GpuModel gpu = GpuModel.All.Single(gpu => gpu.Name == "rtx-4060");
        IReadOnlyList<StepLaunches> steps = PredictedSteps.Of(ModelPresets.Find(ModelPresets.VisionLanguage7B), DType.BF16, gpu.Device);
        Assert.Equal(7, steps.Count);
        // Four linears and attention of each of 32 layers; embedding, head, and the choice of a token.
        Assert.Equal((5 * 32) + 3, steps[0].Launches.Sum(launch => launch.Count));
        // All weights but embeddings and Partial LoRA are read once: 14.7 GB.
        Assert.InRange(steps[0].Launches.Sum(launch => launch.Count * launch.Case.Cost.Bytes), 14.6e9, 15.1e9);
        // Half and a quarter of that; the head has 8 bits beside 4.
        Assert.InRange(steps[1].Launches.Sum(launch => launch.Count * launch.Case.Cost.Bytes), 7.4e9, 8.1e9);
        Assert.InRange(steps[2].Launches.Sum(launch => launch.Count * launch.Case.Cost.Bytes), 3.9e9, 4.5e9);
        Assert.InRange(steps[3].Launches.Sum(launch => launch.Count * launch.Case.Cost.Flops), 19.5e12, 21.5e12);
    }

    [Fact]
    public void A_step_of_training_has_every_product_and_all_adapters()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage7B);
        StepLaunches step = PredictedSteps.Of(config, DType.BF16, GpuModel.All.Single(gpu => gpu.Name == "h200").Device)[^1];
        Assert.True(step.HasRate);
        // The prompt's 20 TFLOP forwards, as many backwards for the inputs, and a little for adapters and for attention, which is made twice more.
        Assert.InRange(step.Launches.Sum(launch => launch.Count * (double)launch.Case.Cost.Flops), 40e12, 48e12);
        const int Rank = 64, Hidden = 4096, Packed = 6144, Inner = 14336;
        long adapters = 32L * Rank * ((Hidden + Packed) + (Hidden + Hidden) + (3 * (Hidden + Inner)));
        Assert.Equal(AdamW.Cost(adapters), Assert.Single(step.Launches, launch => launch.Case.Definition is AdamW).Case.Cost);
        // Adapters have gradients by both matrices, frozen weights by none.
        Assert.Equal(2 * 5 * 32, step.Launches.Where(launch => launch.Case.Definition is MatrixProduct { Form: ProductForm.WeightGradient }).Sum(launch => launch.Count));
    }

    [Fact]
    public void A_step_of_training_is_predicted_for_tensor_cores_of_bf16_alone()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage7B);
        DeviceFacts device = GpuModel.All.Single(gpu => gpu.Name == "h200").Device;
        Assert.DoesNotContain(PredictedSteps.Of(config, DType.F16, device), step => step.HasRate);
    }

    [Fact]
    public void More_blocks_than_a_wave_take_a_second_wave()
    {
        GpuModel gpu = GpuModel.All.Single(gpu => gpu.Name == "h200");
        KernelCase launch = PredictedSteps.Of(ModelPresets.Find(ModelPresets.VisionLanguage7B), DType.BF16, gpu.Device)[3].Launches.MaxBy(launch => launch.Case.Cost.Flops).Case;
        SassLoop loop = new(0, 9, 5, 5 * 4096, 0, 0);
        KernelPrediction one = new(launch, gpu, new KernelResources(32, 0, 0, 0), loop), three = new(launch, gpu, new KernelResources(255, 0, 0, 0), loop);
        Assert.True(one.BlocksPerMultiprocessor >= three.BlocksPerMultiprocessor);
        Assert.Equal("products", one.Bound);
        Assert.Equal(launch.Cost.Flops * Math.Ceiling(one.Waves) / one.Waves / gpu.ProductRate(areOfGroups: false) * 1e6 + 2.5, one.Microseconds, 1e-6);
    }
}
