using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class Philox4x32Tests
{
    /// <summary>The known answers that the authors publish (Random123, kat_vectors).</summary>
    [Fact]
    public void Known_answers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox4x32.Block((0, 0, 0, 0), (0, 0)));
        const uint Ones = uint.MaxValue;
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), Philox4x32.Block((Ones, Ones, Ones, Ones), (Ones, Ones)));
        Assert.Equal((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u), Philox4x32.Block((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0)));
    }

    [Fact]
    public void Uniform_is_the_first_word_of_seed_and_step()
    {
        Assert.Equal(0x6627e8d5 / 4294967296.0, Philox4x32.Uniform(0, 0));
        Assert.Equal(Philox4x32.Block((7, 9, 0, 0), (3, 5)).X / 4294967296.0, Philox4x32.Uniform(3 | (5UL << 32), 7 | (9UL << 32)));
        double sum = 0;
        for (ulong step = 0; step < 10_000; step++)
        {
            double u = Philox4x32.Uniform(1, step);
            Assert.True(u is >= 0 and < 1);
            sum += u;
        }
        Assert.InRange(sum, 4900, 5100);
    }
}
