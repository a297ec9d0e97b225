using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The paper's claim that Partial LoRA leaves language untouched.</summary>
public sealed class PartialLoraTests
{
    [Fact]
    public void Text_is_bit_for_bit_the_same_without_it()
    {
        using var model = new DemoModel();
        using var without = new DemoModel(change: source => new WithoutPartialLora(source));
        PromptPosition[] text = DemoModel.Prompt(75, null, 0);
        using var sequence = new KeyValueSequence(model.Runner.Pool);
        using var withoutSequence = new KeyValueSequence(without.Runner.Pool);
        Accuracy.Same(model.Prefill(sequence, text), without.Prefill(withoutSequence, text), "prefill");
        for (int step = 0; step < 5; step++)
            Accuracy.Same(model.Decode(sequence, 400 + step), without.Decode(withoutSequence, 400 + step), "decode");
    }

    [Fact]
    public void Text_before_a_picture_is_too_and_the_picture_is_not()
    {
        using var model = new DemoModel();
        using var without = new DemoModel(change: source => new WithoutPartialLora(source));
        PreparedPicture image = model.Encode("001-0.png");
        PromptPosition[] prompt = DemoModel.Prompt(20, image, 10);
        using var sequence = new KeyValueSequence(model.Runner.Pool);
        using var withoutSequence = new KeyValueSequence(without.Runner.Pool);
        float[] with = model.Prefill(sequence, prompt).ToArray();
        float[] changed = without.Prefill(withoutSequence, prompt).ToArray();
        Assert.NotEqual(with, changed);

        // Causal attention: the keys and values of the text before the picture are those of text alone.
        sequence.Truncate(20);
        withoutSequence.Truncate(20);
        Accuracy.Same(model.Decode(sequence, 400), without.Decode(withoutSequence, 400), "decode after the text");
    }

    /// <summary>The same weights, with zeros for those of Partial LoRA.</summary>
    private sealed unsafe class WithoutPartialLora(IWeightSource source) : IWeightSource
    {
        private readonly List<nint> zeros = [];

        public bool TryGet(string name, out HostTensor tensor)
        {
            if (!source.TryGet(name, out tensor))
                return false;
            if (name.Contains(".Plora_", StringComparison.Ordinal))
            {
                var memory = (nint)NativeMemory.AllocZeroed((nuint)tensor.Bytes);
                zeros.Add(memory);
                tensor = tensor with { Data = memory };
            }

            return true;
        }

        public void Dispose()
        {
            foreach (nint memory in zeros)
                NativeMemory.Free((void*)memory);
            source.Dispose();
        }
    }
}
