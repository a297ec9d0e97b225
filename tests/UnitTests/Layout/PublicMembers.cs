using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace XComposer2.Native.UnitTests;

/// <summary>Public members, their names in XML documentation, and the exceptions that their code throws.</summary>
internal static partial class PublicMembers
{
    public const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> codes =
        typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>Whether a caller outside of the assembly can use a member that a person wrote.</summary>
    public static bool IsVisible(MemberInfo member) => !member.IsDefined(typeof(CompilerGeneratedAttribute)) && member switch
    {
        MethodBase method => IsVisible(method),
        FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
        PropertyInfo property => property.GetAccessors(true).Any(IsVisible),
        _ => false,
    };

    /// <summary>The name of a method, constructor, property or field in XML documentation.</summary>
    public static string DocumentationName(MemberInfo member)
    {
        string owner = member.DeclaringType!.FullName!.Replace('+', '.');
        return member switch
        {
            ConstructorInfo constructor => $"M:{owner}.#ctor{Parameters(constructor)}",
            MethodInfo method => $"M:{owner}.{method.Name}{(method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "")}{Parameters(method)}",
            PropertyInfo property => $"P:{owner}.{property.Name}",
            FieldInfo field => $"F:{owner}.{field.Name}",
            _ => throw new ArgumentException($"no documentation name for {member}", nameof(member)),
        };
    }

    /// <summary>Types of exceptions that a member's own code throws: its body, its state machine, its lambdas, and other methods of its type that no caller
    /// outside can call. Null checks of arguments are not counted.</summary>
    public static HashSet<Type> Thrown(MemberInfo member)
    {
        var thrown = new HashSet<Type>();
        var seen = new HashSet<MethodBase>();
        MethodBase[] methods = member switch { PropertyInfo property => property.GetAccessors(true), MethodBase method => [method], _ => [] };
        foreach (MethodBase method in methods)
            Collect(method, member.DeclaringType!, thrown, seen);
        return thrown;
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static void Collect(MethodBase method, Type owner, HashSet<Type> thrown, HashSet<MethodBase> seen)
    {
        if (!seen.Add(method))
            return;
        if (method.GetCustomAttribute<StateMachineAttribute>() is { } machine)
            Collect(machine.StateMachineType.GetMethod("MoveNext", Declared)!, owner, thrown, seen);
        MethodBase? before = null;
        foreach ((OpCode code, MethodBase? target) in Instructions(method))
        {
            if (code == OpCodes.Throw && before is not null && ExceptionOf(before) is { } type && type != typeof(ArgumentNullException))
                thrown.Add(type);
            if (target is not null && target.Name.StartsWith("Throw", StringComparison.Ordinal) && typeof(Exception).IsAssignableFrom(target.DeclaringType) && target.Name != "ThrowIfNull")
                thrown.Add(target.DeclaringType!);
            else if (target is not null && IsOwn(target, owner))
                Collect(target, owner, thrown, seen);
            before = target;
        }
    }

    private static Type? ExceptionOf(MethodBase method)
    {
        Type type = method is MethodInfo { ReturnType: var returned } ? returned : method.DeclaringType!;
        return typeof(Exception).IsAssignableFrom(type) ? type : null;
    }

    private static bool IsOwn(MethodBase method, Type owner)
    {
        Type? declaring = method.DeclaringType;
        bool isNested = declaring != owner;
        while (declaring is not null && declaring != owner)
            declaring = declaring.DeclaringType;
        return declaring is not null && (isNested || !IsVisible(method));
    }

    /// <summary>Operation codes with the method that they name.</summary>
    private static IEnumerable<(OpCode Code, MethodBase? Target)> Instructions(MethodBase method)
    {
        byte[] bytes = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int place = 0; place < bytes.Length;)
        {
            short value = bytes[place++];
            if (value == 0xFE)
                value = (short)(0xFE00 | bytes[place++]);
            OpCode code = codes[value];
            MethodBase? target = code.OperandType == OperandType.InlineMethod ? Resolve(method, BitConverter.ToInt32(bytes, place)) : null;
            place += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(bytes, place)),
                _ => 4,
            };
            yield return (code, target);
        }
    }

    private static MethodBase? Resolve(MethodBase method, int token) => method.Module.ResolveMethod(
        token,
        method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null,
        method is { IsGenericMethod: true } ? method.GetGenericArguments() : null);

    private static string Parameters(MethodBase method)
    {
        ParameterInfo[] parameters = method.GetParameters();
        return parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(parameter => NameOf(parameter.ParameterType)))})";
    }

    private static string NameOf(Type type)
    {
        if (type.IsByRef)
            return NameOf(type.GetElementType()!) + "@";
        if (type.IsArray)
            return NameOf(type.GetElementType()!) + "[]";
        if (type.IsGenericMethodParameter)
            return $"``{type.GenericParameterPosition}";
        if (!type.IsGenericType)
            return type.FullName!.Replace('+', '.');
        string name = Arity().Replace(type.GetGenericTypeDefinition().FullName!, "").Replace('+', '.');
        return $"{name}{{{string.Join(',', type.GetGenericArguments().Select(NameOf))}}}";
    }

    [GeneratedRegex("`[0-9]+")]
    private static partial Regex Arity();
}
