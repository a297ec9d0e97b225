namespace XComposer2.Native.Runtime;

/// <summary>
/// Philox4x32-10 (Salmon and others, 2011): a counter-based generator. A number depends on key and counter alone, so that a kernel can
/// draw the same one.
/// </summary>
public static class Philox4x32
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint KeyStep0 = 0x9E3779B9, KeyStep1 = 0xBB67AE85;

    /// <summary>The four words of one block.</summary>
    public static (uint X, uint Y, uint Z, uint W) Block((uint X, uint Y, uint Z, uint W) counter, (uint X, uint Y) key)
    {
        (uint x, uint y, uint z, uint w) = counter;
        (uint key0, uint key1) = key;
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * x, product1 = (ulong)Multiplier1 * z;
            (x, y, z, w) = ((uint)(product1 >> 32) ^ y ^ key0, (uint)product1, (uint)(product0 >> 32) ^ w ^ key1, (uint)product0);
            key0 += KeyStep0;
            key1 += KeyStep1;
        }
        return (x, y, z, w);
    }

    /// <summary>
    /// The number of one step: word X of the block with counter (low half of step, high half, 0, 0) and key (low half of seed, high half),
    /// times 2^-32. In [0, 1).
    /// </summary>
    public static double Uniform(ulong seed, ulong step) => Block(((uint)step, (uint)(step >> 32), 0, 0), ((uint)seed, (uint)(seed >> 32))).X * (1.0 / (1L << 32));
}
