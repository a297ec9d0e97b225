using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Reading a kernel's sources.</summary>
public class KernelProgramTests
{
    [Fact]
    public void Repeated_includes_are_read_once()
    {
        KernelProgram program = KernelProgram.Read(MemoryKernelSource.Scale(), "elementwise/scale.cu");
        Assert.Equal("elementwise/scale.cu", program.Source.Path);
        Assert.Equal(["common/scale_args.cuh", "common/types.cuh"], program.Headers.Select(header => header.Path));
    }

    [Fact]
    public void Circular_includes_terminate()
    {
        MemoryKernelSource source = new() { Files = { ["a.cu"] = "#include \"b.cuh\"", ["b.cuh"] = "#include \"c.cuh\"", ["c.cuh"] = "#include \"b.cuh\"" } };
        Assert.Equal(["b.cuh", "c.cuh"], KernelProgram.Read(source, "a.cu").Headers.Select(header => header.Path));
    }

    [Theory]
    [InlineData("# include \"b.cuh\"")]
    [InlineData("\t#\tinclude\t\"b.cuh\" // why")]
    [InlineData("  #include\"b.cuh\"\r")]
    public void Include_is_found_in_every_notation(string line)
    {
        MemoryKernelSource source = new() { Files = { ["a.cu"] = $"// first\n{line}\n", ["b.cuh"] = "" } };
        Assert.Equal(["b.cuh"], KernelProgram.Read(source, "a.cu").Headers.Select(header => header.Path));
    }

    [Theory]
    [InlineData("// #include \"b.cuh\"")]
    [InlineData("#includes \"b.cuh\"")]
    [InlineData("const char* s = \"#include\";")]
    [InlineData("#define include \"b.cuh\"")]
    public void Other_lines_are_not_includes(string line) =>
        Assert.Empty(KernelProgram.Read(new MemoryKernelSource { Files = { ["a.cu"] = line } }, "a.cu").Headers);

    [Theory]
    [InlineData("#include \"../b.cuh\"", "\"../b.cuh\"")]
    [InlineData("#include \"./b.cuh\"", "\"./b.cuh\"")]
    [InlineData("#include \"x//b.cuh\"", "\"x//b.cuh\"")]
    [InlineData("#include \"/b.cuh\"", "\"/b.cuh\"")]
    [InlineData("#include \"x\\b.cuh\"", "\"x\\b.cuh\"")]
    [InlineData("#include <cuda_bf16.h>", "<cuda_bf16.h>")]
    [InlineData("#include HEADER", "HEADER")]
    public void Other_include_spellings_are_rejected(string line, string shown)
    {
        KernelSourceException refusal = Assert.Throws<KernelSourceException>(
            () => KernelProgram.Read(new MemoryKernelSource { Files = { ["x/a.cu"] = "\n" + line, ["b.cuh"] = "", ["x/b.cuh"] = "" } }, "x/a.cu"));
        Assert.Equal($"x/a.cu(2): include path: expected \"folder/file.cuh\" relative to the kernel root, found {shown}", refusal.Message);
    }

    [Fact]
    public void Missing_header_error_names_the_including_line()
    {
        MemoryKernelSource source = new() { Files = { ["x/a.cu"] = "#include \"b.cuh\"", ["x/b.cuh"] = "" } };
        Assert.Equal(
            "x/a.cu(1): \"b.cuh\" is not in kernels; include paths are relative to its root",
            Assert.Throws<KernelSourceException>(() => KernelProgram.Read(source, "x/a.cu")).Message);
        Assert.Equal("y.cu is not in kernels", Assert.Throws<KernelSourceException>(() => KernelProgram.Read(source, "y.cu")).Message);
    }

    [Fact]
    public void Folder_and_assembly_sources_return_the_same_files()
    {
        string folder = TestPaths.Repository("tests/UnitTests/Cuda/kernels");
        EmbeddedKernelSource embedded = new(typeof(KernelProgramTests).Assembly);
        KernelProgram first = KernelProgram.Read(new FolderKernelSource(folder), "elementwise/add.cu");
        KernelProgram second = KernelProgram.Read(embedded, "elementwise/add.cu");
        Assert.Equal(first.Source, second.Source);
        Assert.Equal(first.Headers, second.Headers);
        Assert.Single(first.Headers);
        Assert.Null(embedded.Read("elementwise/none.cu"));
    }
}
