namespace XComposer2.Native.Model;

/// <summary>A dict or OrderedDict of a pickle, in the order of its items. Keys are not hashed: a pickle must not choose what is called.</summary>
internal sealed class PickledDictionary
{
    private List<(object? Key, object? Value)>? items;

    public IReadOnlyList<(object? Key, object? Value)> Items => items ?? (IReadOnlyList<(object? Key, object? Value)>)[];

    public void Add(object? key, object? value) => (items ??= []).Add((key, value));
}
