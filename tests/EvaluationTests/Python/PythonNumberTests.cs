using System.Globalization;
using System.Numerics;
using XComposer2.Native.Evaluation.Python;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Numbers and lists as Python reads and writes them; the expected values are CPython's.</summary>
public sealed class PythonNumberTests
{
    [Theory]
    [InlineData("1_000", "1000.0", "1000")]
    [InlineData("\uFF15", "5.0", "5")]
    [InlineData("\u0663", "3.0", "3")]
    [InlineData(" 5", "5.0", "5")]
    [InlineData("inf", "inf", null)]
    [InlineData("-Infinity", "-inf", null)]
    [InlineData("+nan", "nan", null)]
    [InlineData("1,000", null, null)]
    [InlineData("\u22123", null, null)]
    [InlineData("1__0", null, null)]
    [InlineData("_1", null, null)]
    [InlineData("1_", null, null)]
    [InlineData("1_.0", null, null)]
    [InlineData("1._0", null, null)]
    [InlineData(".5", "0.5", null)]
    [InlineData("5.", "5.0", null)]
    [InlineData(".", null, null)]
    [InlineData("1e5", "100000.0", null)]
    [InlineData("1e", null, null)]
    [InlineData("1e+_5", null, null)]
    [InlineData("1e1_0", "10000000000.0", null)]
    [InlineData("0x10", null, null)]
    [InlineData("\uFF15.\uFF15", "5.5", null)]
    [InlineData("\U0001D7CF\U0001D7D0", "12.0", "12")]
    [InlineData("5\u001F", null, null)]
    [InlineData("\u00A05\u3000", "5.0", "5")]
    [InlineData("1e400", "inf", null)]
    [InlineData("-0", "-0.0", "0")]
    [InlineData("\u00BD", null, null)]
    [InlineData("\u00B2", null, null)]
    [InlineData("", null, null)]
    [InlineData("+ 5", null, null)]
    [InlineData("--5", null, null)]
    [InlineData("1 2", null, null)]
    [InlineData("infinit", null, null)]
    [InlineData("nan5", null, null)]
    [InlineData("1E-5", "1e-05", null)]
    [InlineData("\u0663\u066B\u0665", null, null)]
    [InlineData("007", "7.0", "7")]
    [InlineData("1_0", "10.0", "10")]
    [InlineData("-12", "-12.0", "-12")]
    [InlineData("12345678901234567890123", "1.2345678901234568e+22", "12345678901234567890123")]
    [InlineData("4.0", "4.0", null)]
    public void Float_and_int_read_what_Python_reads(string text, string? number, string? integer)
    {
        Assert.Equal(number, PythonNumber.TryFloat(text, out double value) ? PythonNumber.Repr(value) : null);
        Assert.Equal(integer, PythonNumber.TryInteger(text, out BigInteger whole) ? whole.ToString(CultureInfo.InvariantCulture) : null);
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(1e+16, "1e+16")]
    [InlineData(1000000000000000.0, "1000000000000000.0")]
    [InlineData(1.2345678901234568e+17, "1.2345678901234568e+17")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(1e-05, "1e-05")]
    [InlineData(9.9999e-05, "9.9999e-05")]
    [InlineData(1e+22, "1e+22")]
    [InlineData(1e+23, "1e+23")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(1.7976931348623157e+308, "1.7976931348623157e+308")]
    [InlineData(100.0, "100.0")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(0.30000000000000004, "0.30000000000000004")]
    [InlineData(55.00000000000001, "55.00000000000001")]
    [InlineData(1234567.125, "1234567.125")]
    [InlineData(9007199254740992.0, "9007199254740992.0")]
    [InlineData(1e+100, "1e+100")]
    [InlineData(12345.0, "12345.0")]
    [InlineData(0.001, "0.001")]
    public void Repr_is_the_shortest_writing(double value, string expected) => Assert.Equal(expected, PythonNumber.Repr(value));

    [Theory]
    [InlineData(0.125, 0.12)]
    [InlineData(0.375, 0.38)]
    [InlineData(2.675, 2.67)]
    [InlineData(1.005, 1.0)]
    [InlineData(-0.125, -0.12)]
    [InlineData(-0.375, -0.38)]
    [InlineData(12.346, 12.35)]
    [InlineData(1234.5, 1234.5)]
    [InlineData(0.0025, 0.0)]
    [InlineData(0.005, 0.01)]
    [InlineData(1e+300, 1e+300)]
    [InlineData(5.015, 5.01)]
    [InlineData(0.625, 0.62)]
    [InlineData(0.045, 0.04)]
    [InlineData(-2.675, -2.67)]
    [InlineData(1.115, 1.11)]
    [InlineData(0.295, 0.29)]
    [InlineData(4503599627370495.5, 4503599627370495.5)]
    public void Round_is_exact_with_ties_to_even(double value, double expected) => Assert.Equal(expected, PythonNumber.RoundToHundredths(value));

    [Fact]
    public void Integer_of_more_than_4300_digits_is_refused()
    {
        Assert.True(PythonNumber.TryInteger(new string('1', 4300), out _));
        Assert.False(PythonNumber.TryInteger(new string('1', 4301), out _));
    }

    [Theory]
    [InlineData("['a', 'b']", new[] { "a", "b" })]
    [InlineData("[\u0022it's\u0022, 5, 0.1, True, None, -3]", new[] { "it's", "5", "0.1", "True", "None", "-3" })]
    [InlineData("[]", new string[0])]
    [InlineData("[ ]", new string[0])]
    [InlineData("[5, 10]", new[] { "5", "10" })]
    [InlineData("[Yes, No]", null)]
    [InlineData("['a',]", new[] { "a" })]
    [InlineData("[1e3]", new[] { "1000.0" })]
    [InlineData("[007]", null)]
    [InlineData("['\u005Cn\u005Ct\u005Cx41\u005Cu00e9']", new[] { "\u000A\u0009A\u00E9" })]
    [InlineData("[1", null)]
    [InlineData("(1, 2)", null)]
    [InlineData("['a'] x", null)]
    [InlineData("[inf]", null)]
    [InlineData("['a\u005C\u005C']", new[] { "a\u005C" })]
    [InlineData("  ['a'] ", new[] { "a" })]
    [InlineData("[,]", null)]
    [InlineData("[1_000]", new[] { "1000" })]
    [InlineData("[5.]", new[] { "5.0" })]
    [InlineData("[.5]", new[] { "0.5" })]
    [InlineData("['\U0001F600']", new[] { "\U0001F600" })]
    public void List_of_literals_is_read_without_running_it(string text, string[]? expected) => Assert.Equal(expected, PythonLiteral.TryList(text));

    [Theory]
    [InlineData("__import__('os').system('true')")]
    [InlineData("[print('x')]")]
    [InlineData("[x for x in 'ab']")]
    [InlineData("[1 + 1]")]
    public void Program_text_is_no_list(string text) => Assert.Null(PythonLiteral.TryList(text));

    [Fact]
    public void Written_list_reads_as_the_same_list()
    {
        string[] items = ["a", "it's", "say \"x\"", "both ' and \"", "back\\slash", "line\nend", "中文"];
        Assert.Equal(items, PythonLiteral.TryList(PythonLiteral.List(items)));
    }
}
