using System.Reflection;
using System.Xml.Linq;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Every public member of the engine and of composition is documented, with the exceptions that its own code throws.</summary>
public sealed class PublicDocumentationTests
{
    private static readonly Dictionary<string, XElement> documentation = Read();

    public static TheoryData<string> Types => [.. PublicTypesTests.Documented().Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Public_member_has_a_summary(string type) =>
        Assert.Empty(Members(type).Where(member => Find(member) is not { } found || (found.Element("summary") is null && found.Element("inheritdoc") is null && found.Element("param") is null))
            .Select(PublicMembers.DocumentationName));

    [Theory]
    [MemberData(nameof(Types))]
    public void Public_member_documents_the_exceptions_that_it_throws(string type)
    {
        List<string> missing = [];
        foreach (MemberInfo member in Members(type))
        {
            XElement? found = Find(member);
            if (found?.Element("inheritdoc") is not null)
                continue;
            string[] documented = [.. (found?.Elements("exception") ?? []).Select(exception => ((string)exception.Attribute("cref")!)[2..])];
            foreach (Type thrown in PublicMembers.Thrown(member))
                if (!WithBases(thrown).Any(candidate => documented.Contains(candidate.FullName)))
                    missing.Add($"{PublicMembers.DocumentationName(member)} throws {thrown.Name}");
        }

        Assert.True(missing.Count == 0, string.Join("; ", missing));
    }

    [Fact]
    public void Thrown_exceptions_are_found_in_bodies_state_machines_and_helpers()
    {
        MethodInfo send = typeof(ChatSession).GetMethod(nameof(ChatSession.SendAsync))!;
        Assert.Contains(typeof(InvalidOperationException), PublicMembers.Thrown(send));
        Assert.Contains(typeof(ObjectDisposedException), PublicMembers.Thrown(send));
        Assert.Contains(typeof(EngineException), PublicMembers.Thrown(typeof(XComposerEngine).GetMethod(nameof(XComposerEngine.LoadAsync))!));
    }

    private static IEnumerable<MemberInfo> Members(string type)
    {
        Type owner = PublicTypesTests.Documented().Single(each => each.FullName == type);
        return owner.GetMembers(PublicMembers.Declared).Where(PublicMembers.IsVisible)
            .Where(member => member is not MethodInfo { IsSpecialName: true } && !IsOfRecord(member) && !(member is ConstructorInfo { IsStatic: true }));
    }

    // Written by the compiler or by a contract of the runtime; a record's parameters are documented with the record.
    private static bool IsOfRecord(MemberInfo member) =>
        member is ConstructorInfo && Find(member) is null || member is PropertyInfo && Find(member) is null && IsParameter(member) || member.Name is "Equals" or "GetHashCode" or "ToString" or "Deconstruct" or "PrintMembers" or "value__";

    private static bool IsParameter(MemberInfo property) =>
        documentation.TryGetValue($"T:{property.DeclaringType!.FullName}", out XElement? type) && type.Elements("param").Any(parameter => (string?)parameter.Attribute("name") == property.Name);

    private static IEnumerable<Type> WithBases(Type type)
    {
        for (Type? each = type; each is not null && each != typeof(object); each = each.BaseType)
            yield return each;
    }

    private static XElement? Find(MemberInfo member) => documentation.GetValueOrDefault(PublicMembers.DocumentationName(member));

    private static Dictionary<string, XElement> Read() =>
        PublicTypesTests.Documented().Select(type => type.Assembly).Distinct()
            .SelectMany(assembly => XDocument.Load(Path.Combine(AppContext.BaseDirectory, assembly.GetName().Name + ".xml")).Descendants("member"))
            .ToDictionary(member => (string)member.Attribute("name")!, StringComparer.Ordinal);
}
