using System.IO.Compression;
using System.Xml.Linq;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The packages are complete, and programs work with nothing but them.</summary>
public sealed class PackageTests(PackageFolder packages) : IClassFixture<PackageFolder>
{
    private const string Engine = "XComposer2.Native", Composition = "XComposer2.Native.Composition", Client = "XComposer2.Native.Extensions.AI", Tool = "XComposer2.Native.Cli";

    // Below the engine; the package carries them.
    private static readonly string[] parts = ["Cpu", "Cuda", "Graph", "Kernels", "Model", "Runtime"];

    private const string App = """
        using XComposer2.Native;
        using XComposer2.Native.Composition;
        using XComposer2.Native.Devices;
        using XComposer2.Native.Model;

        try
        {
            await using XComposerEngine missing = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = "nowhere" });
        }
        catch (CheckpointException error) when (error is XComposerException)
        {
            Console.WriteLine("no checkpoint");
        }

        await using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = args[0], Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2 } });
        await using ChatSession session = engine.CreateSession();
        var message = new UserMessage("Describe this image.", [ImageInput.FromFile(args[1])]);
        await foreach (GenerationEvent next in session.SendAsync(message, new GenerationOptions { Greedy = true }))
            if (next is GenerationCompleted { Result: var answer })
                Console.WriteLine($"{answer.Text} ({answer.FinishReason}, {answer.Usage.ImageTokens > 0})");
        Console.WriteLine(ArticleInstruction.Of("tea", "", []));
        """;

    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
            <UseAppHost>false</UseAppHost>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="XComposer2.Native.Composition" Version="VERSION" />
          </ItemGroup>
        </Project>
        """;

    [Theory]
    [InlineData(Engine)]
    [InlineData(Composition)]
    [InlineData(Client)]
    [InlineData(Tool)]
    public void Package_has_all_metadata_and_symbols(string id)
    {
        XElement metadata = packages.Metadata(id);
        Assert.Equal((id, PackageFolder.Version), ((string?)metadata.Element("id"), (string?)metadata.Element("version")));
        Assert.Equal(("expression", "Apache-2.0"), ((string?)metadata.Element("license")!.Attribute("type"), (string?)metadata.Element("license")));
        Assert.True(((string?)metadata.Element("description"))!.Length > 40);
        Assert.Equal("git", (string?)metadata.Element("repository")!.Attribute("type"));
        using ZipArchive package = packages.Open(id);
        foreach (string name in (string[])["icon", "readme"])
            Assert.True(package.GetEntry((string)metadata.Element(name)!) is { Length: > 100 }, $"{id} lacks its {name}");
        using ZipArchive symbols = packages.Open(id, "snupkg");
        string[] own = [.. package.Entries.Where(entry => entry.Name.EndsWith(".dll", StringComparison.Ordinal) && !entry.FullName.StartsWith("ref/", StringComparison.Ordinal) && (entry.Name.StartsWith(Engine, StringComparison.Ordinal) || entry.Name == "xc2.dll")).Select(entry => entry.FullName)];
        Assert.NotEmpty(own);
        Assert.All(own, library => Assert.NotNull(symbols.GetEntry(Path.ChangeExtension(library, ".pdb"))));
    }

    [Fact]
    public void Engine_package_carries_its_parts_and_shows_three_of_them_to_compilers()
    {
        using ZipArchive package = packages.Open(Engine);
        Assert.Equal([.. parts.Select(part => $"{Engine}.{part}.dll"), $"{Engine}.dll"], Libraries(package, "lib/net10.0/"));
        Assert.Equal([$"{Engine}.Graph.dll", $"{Engine}.Model.dll", $"{Engine}.dll"], Libraries(package, "ref/net10.0/"));
        foreach (string documented in (string[])[$"{Engine}.Graph", $"{Engine}.Model", Engine])
            Assert.NotNull(package.GetEntry($"ref/net10.0/{documented}.xml"));
        Assert.NotNull(package.GetEntry("buildTransitive/XComposer2.Native.targets"));
    }

    [Fact]
    public void Engine_package_depends_on_the_packages_of_its_parts()
    {
        string[] used = [.. parts.SelectMany(part => XDocument.Load(TestPaths.Repository($"src/{Engine}.{part}/{Engine}.{part}.csproj")).Descendants("PackageReference")).Select(reference => (string)reference.Attribute("Include")!).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(used, packages.Metadata(Engine).Descendants("dependency").Select(dependency => (string)dependency.Attribute("id")!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Composition_package_depends_on_the_engine_of_the_same_version()
    {
        XElement dependency = packages.Metadata(Composition).Descendants("dependency").Single(each => ((string)each.Attribute("id")!).StartsWith(Engine, StringComparison.Ordinal));
        Assert.Equal((Engine, $"[{PackageFolder.Version}]"), ((string?)dependency.Attribute("id"), (string?)dependency.Attribute("version")));
    }

    [Fact]
    public void Console_app_with_the_packages_answers_about_a_picture()
    {
        string app = WriteApp("app");
        // Without a network where this repository was restored; else with the sources of the machine.
        string[] restore = ["restore", "--nologo", "-v", "quiet"];
        if (packages.TryDotnet(app, [.. restore, "--source", packages.Packages, "--source", PackageFolder.Downloaded]).ExitCode != 0)
            packages.Dotnet(app, [.. restore, $"-p:RestoreAdditionalProjectSources={packages.Packages}"]);
        packages.Dotnet(app, "build", "--no-restore", "--nologo", "-v", "quiet", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-o", Path.Combine(app, "out"));
        string output = packages.Dotnet(app, Path.Combine(app, "out", "app.dll"), TestPaths.Repository("tools/demo/checkpoint"), TestPaths.Repository("tools/demo/pictures/shapes-1.png"));

        Assert.Equal("no checkpoint\nThe image shows a red star at the top. (Stop, True)\nPlease write a blog based on the title: tea\n", output.ReplaceLineEndings("\n"));
        Assert.True(Directory.Exists(Path.Combine(packages.Cache, "xcomposer2.native", PackageFolder.Version)), "the app was not restored into the empty cache");
    }

    [Fact]
    public void Tool_installs_and_reports_its_version()
    {
        string folder = Path.Combine(packages.Root, "tool");
        Directory.CreateDirectory(folder);
        packages.Dotnet(folder, "tool", "install", Tool, "--tool-path", folder, "--version", PackageFolder.Version, "--source", packages.Packages);

        Assert.Equal($"xc2 {PackageFolder.Version}\n", ProcessResult.Of(new(Path.Combine(folder, "xc2"), ["--version"])).Output);
    }

    [Theory]
    [InlineData("linux-x64", "", "x86-64-v3")]
    [InlineData("linux-x64", "-p:XComposer2InstructionSet=x86-64-v4", "x86-64-v4")]
    [InlineData("win-x64", "-p:IlcInstructionSet=native", "native")]
    [InlineData("linux-x64", "-p:XComposer2InstructionSet=none", "warning XC2001")]
    [InlineData("linux-x64", "-p:PublishAot=false", "")]
    [InlineData("linux-arm64", "", "")]
    public void Native_compilation_gets_an_instruction_set(string platform, string option, string expected)
    {
        string folder = Path.Combine(packages.Root, "native");
        Directory.CreateDirectory(folder);
        string targets = TestPaths.Repository("src/XComposer2.Native/buildTransitive/XComposer2.Native.targets");
        File.WriteAllText(Path.Combine(folder, "app.csproj"), Project.Replace("VERSION", PackageFolder.Version, StringComparison.Ordinal).Replace("</Project>", $"<Import Project=\"{targets}\" /></Project>", StringComparison.Ordinal));
        string[] arguments = ["msbuild", "app.csproj", "-t:XComposer2SelectInstructionSet", "-getProperty:IlcInstructionSet", "-p:PublishAot=true", $"-p:RuntimeIdentifier={platform}", .. option.Length > 0 ? [option] : Array.Empty<string>()];

        ProcessResult result = packages.TryDotnet(folder, arguments);
        string output = (result.Output + result.Error).Trim();
        Assert.True(result.ExitCode == 0, output);
        if (expected.Length == 0)
            Assert.Equal("", output);
        else
            Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    private string WriteApp(string name)
    {
        string app = Path.Combine(packages.Root, name);
        Directory.CreateDirectory(app);
        File.WriteAllText(Path.Combine(app, name + ".csproj"), Project.Replace("VERSION", PackageFolder.Version, StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(app, "Program.cs"), App);
        // Whatever lies in a folder above belongs to others.
        foreach (string file in (string[])["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"])
            File.WriteAllText(Path.Combine(app, file), "<Project />");
        return app;
    }

    private static string[] Libraries(ZipArchive package, string folder) =>
        [.. package.Entries.Where(entry => entry.FullName.StartsWith(folder, StringComparison.Ordinal) && entry.Name.EndsWith(".dll", StringComparison.Ordinal)).Select(entry => entry.Name).Order(StringComparer.Ordinal)];
}
