using System.Collections.Immutable;

namespace XComposer2.Demo.World;

/// <summary>Colours of shapes.</summary>
public enum ShapeColor
{
    Red,
    Green,
    Blue,
    Yellow,
    Purple,
    Orange,
    Pink,
    Black,
}

/// <summary>Forms of shapes.</summary>
public enum ShapeForm
{
    Circle,
    Square,
    Triangle,
    Star,
    Cross,
    Ring,
}

/// <summary>What an object is: "a red circle".</summary>
public readonly record struct Thing(ShapeColor Color, ShapeForm Form)
{
    /// <summary>Number of colours and of forms.</summary>
    public const int Colors = 8, Forms = 6;

    /// <summary>Whether the other one has this colour or this form.</summary>
    public bool Shares(Thing other) => Color == other.Color || Form == other.Form;

    /// <summary>Any thing.</summary>
    public static Thing Any(SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return new((ShapeColor)random.Below(Colors), (ShapeForm)random.Below(Forms));
    }

    /// <summary>Different things, whatever they share.</summary>
    public static Thing[] Different(SeededRandom random, int count)
    {
        ArgumentNullException.ThrowIfNull(random);
        return [.. random.Distinct(count, Colors * Forms).Select(number => new Thing((ShapeColor)(number / Forms), (ShapeForm)(number % Forms)))];
    }

    /// <summary>Things without a common colour or form.</summary>
    public static Thing[] Unlike(SeededRandom random, int count)
    {
        ArgumentNullException.ThrowIfNull(random);
        int[] colors = random.Distinct(count, Colors), forms = random.Distinct(count, Forms);
        return [.. colors.Zip(forms, (color, form) => new Thing((ShapeColor)color, (ShapeForm)form))];
    }

    /// <summary>Different things, most of which share a colour or a form with the same one; no place in the list is special.</summary>
    public static Thing[] Alike(SeededRandom random, int count)
    {
        ArgumentNullException.ThrowIfNull(random);
        List<Thing> things = [Any(random)];
        while (things.Count < count)
        {
            Thing common = things[0], other = Any(random);

            // The second one always shares something, so that no list is unlike.
            double share = random.Fraction();
            Thing next = share < 0.45 ? common with { Form = other.Form } : share < 0.9 || things.Count == 1 ? common with { Color = other.Color } : other;
            if (!things.Contains(next))
                things.Add(next);
        }

        Thing[] mixed = [.. things];
        random.Shuffle(mixed.AsSpan());
        return mixed;
    }
}

/// <summary>A thing in a picture.</summary>
/// <param name="Thing">What it is.</param>
/// <param name="Cell">0 to 8: row by row, from the top left.</param>
/// <param name="IsLarge">Large or small.</param>
public readonly record struct SceneObject(Thing Thing, int Cell, bool IsLarge)
{
    public ShapeColor Color => Thing.Color;

    public ShapeForm Form => Thing.Form;
}

/// <summary>What a picture shows.</summary>
/// <param name="Objects">By cell, at most one in each.</param>
public sealed record Scene(ImmutableArray<SceneObject> Objects)
{
    /// <summary>Cells of a picture, three in a row.</summary>
    public const int Cells = 9;

    /// <summary>The cell in the middle.</summary>
    public const int Center = 4;

    /// <summary>Whether this is in the picture.</summary>
    public bool Contains(Thing thing) => Objects.Any(each => each.Thing == thing);

    /// <summary>One large thing in the middle.</summary>
    public static Scene Of(Thing thing) => new([new SceneObject(thing, Center, true)]);

    /// <summary>One thing: in half of the scenes large and in the middle, otherwise anywhere.</summary>
    public static Scene Somewhere(SeededRandom random, Thing thing)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.Chance(0.5) ? Of(thing) : new([new SceneObject(thing, random.Below(Cells), random.Chance(0.5))]);
    }

    /// <summary>One to three things without a common colour or form, unless the number is given.</summary>
    public static Scene Unlike(SeededRandom random, int? count = null)
    {
        ArgumentNullException.ThrowIfNull(random);
        return Place(random, Thing.Unlike(random, count ?? random.Pick(1, 1, 2, 2, 2, 3, 3)));
    }

    /// <summary>Two or three different things, some of which share a colour or a form.</summary>
    public static Scene Alike(SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return Place(random, Thing.Alike(random, random.Pick(2, 3)));
    }

    /// <summary>One to six things; the same may occur twice.</summary>
    public static Scene Crowded(SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return Place(random, [.. Enumerable.Range(0, 1 + random.Below(6)).Select(_ => Thing.Any(random))]);
    }

    private static Scene Place(SeededRandom random, Thing[] things)
    {
        int[] cells = random.Distinct(things.Length, Cells);
        Array.Sort(cells);
        return new([.. things.Select((thing, i) => new SceneObject(thing, cells[i], random.Chance(0.5)))]);
    }
}
