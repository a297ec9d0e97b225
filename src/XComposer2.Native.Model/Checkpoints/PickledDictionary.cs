namespace XComposer2.Native.Model;

/// <summary>A dict or OrderedDict of a pickle, in the order of its items. Keys are not hashed: a pickle must not choose what is called.</summary>
internal sealed class PickledDictionary
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}
