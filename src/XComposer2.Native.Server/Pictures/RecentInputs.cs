using System.Security.Cryptography;

namespace XComposer2.Native.Server;

/// <summary>Pictures by the hash of their files, the least recently used dropped first: a picture that is sent with each turn of a conversation is decoded once.
/// Safe to use from several threads.</summary>
internal sealed class RecentInputs
{
    private const long CapacityBytes = 64L << 20;

    // Small pictures would add up to many thousands otherwise.
    private const int CapacityPictures = 512;

    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Hash, ImageInput Input, int Bytes)>> byHash = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Hash, ImageInput Input, int Bytes)> byUse = [];
    private long keptBytes;

    /// <param name="file">Not copied; must not change.</param>
    /// <param name="name">For messages.</param>
    public ImageInput Of(byte[] file, string name)
    {
        string hash = Convert.ToHexString(SHA256.HashData(file));
        lock (gate)
        {
            if (byHash.TryGetValue(hash, out LinkedListNode<(string Hash, ImageInput Input, int Bytes)>? known))
            {
                byUse.Remove(known);
                byUse.AddFirst(known);
                return known.Value.Input;
            }

            ImageInput input = ImageInput.FromBytes(file, name);
            byHash.Add(hash, byUse.AddFirst((hash, input, file.Length)));
            keptBytes += file.Length;
            while ((keptBytes > CapacityBytes && byUse.Count > 1) || byUse.Count > CapacityPictures)
            {
                (string oldest, _, int bytes) = byUse.Last!.Value;
                byUse.RemoveLast();
                byHash.Remove(oldest);
                keptBytes -= bytes;
            }

            return input;
        }
    }
}
