"""Steps of the recipe sft on this processor, ours and PyTorch's by turns in one run:

  steps.py --xc2 PROGRAM --model DIR --data FILE [--batch 16] [--steps 24] [--threads N] [--turns 3]

FILE is a JSON list in the published layout. PyTorch trains in as many processes of one thread as there are threads, which average their gradients (faster than one process of
many threads), on batches of samples of like length, so that little of them is padding. Ours is `xc2 train`. Needs PyTorch, sentencepiece and Pillow, and a fast BLAS
(Debian: python3-torch, python3-sentencepiece, python3-pil, libopenblas0). Reading pictures and writing ids is in neither time.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

IGNORED = -100


def prepare(config, tokenizer, folder, sample):
    """Ids, labels and pictures as in the published fine-tuning; the row of a picture is id -1."""
    import numpy
    import torch
    from PIL import Image
    import model
    start, end = "[UNUSED_TOKEN_146]", "[UNUSED_TOKEN_145]"
    patches = (config["img_size"] // config["vision_config"]["patch_size"]) ** 2
    ids, labels = [tokenizer.bos_id()], [IGNORED]

    def add(new, is_learnt):
        ids.extend(new)
        labels.extend(new if is_learnt else [IGNORED] * len(new))

    for turn in sample["conversations"]:
        is_answer = turn["from"] != "user"
        add(tokenizer.encode(start + ("assistant\n" if is_answer else "user\n")), False)
        for i, part in enumerate(turn["value"].split("<ImageHere>")):
            if i > 0:
                add([-1] * patches, False)
            add(tokenizer.encode(part), is_answer)
        add(tokenizer.encode(end), is_answer)
        add(tokenizer.encode("\n"), False)
    add([tokenizer.eos_id()], True)
    pixels = []
    for name in [sample.get("image", [])] if isinstance(sample.get("image"), str) else sample.get("image", []):
        image = Image.open(folder / name).convert("RGB").resize((config["img_size"],) * 2, Image.BICUBIC)
        pixels.append((torch.from_numpy(numpy.asarray(image, dtype=numpy.float32) / 255).permute(2, 0, 1) - model.MEAN) / model.STD)
    return ids, [label if id >= 0 else IGNORED for id, label in zip(ids, labels)], pixels


def batch(samples):
    """Padded tensors, and each learnt token's share of the loss: the mean over samples of means over tokens."""
    import torch
    n = max(len(ids) for ids, _, _ in samples)
    tokens, rows, targets = torch.full((len(samples), n), 2), torch.full((len(samples), n), -1), torch.full((len(samples), n), IGNORED)
    pixels, patches = [], 0
    for i, (ids, labels, pictures) in enumerate(samples):
        row = torch.tensor(ids)
        visual = row < 0
        tokens[i, :len(ids)] = row.clamp(min=0)
        rows[i, :len(ids)][visual] = torch.arange(int(visual.sum())) + patches
        patches += int(visual.sum())
        targets[i, :len(ids)] = torch.tensor(labels)
        pixels += pictures
    targets = targets[:, 1:]
    kept = targets >= 0
    share = (kept / kept.sum(1, keepdim=True) / len(samples))[kept]
    return tokens[:, :-1], torch.stack(pixels) if pixels else None, rows[:, :-1], kept, targets[kept], share


def peer(rank, options, results):
    import sentencepiece
    import torch
    import torch.distributed as group
    import torch.nn.functional as F
    import model
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(options.port))
    group.init_process_group("gloo", rank=rank, world_size=options.threads)
    config, weights = model.load(options.model)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(pathlib.Path(options.model) / "tokenizer.model"))
    data = pathlib.Path(options.data)
    samples = [prepare(config, tokenizer, data.parent, sample) for sample in json.loads(data.read_text())]
    samples.sort(key=lambda sample: len(sample[0]))
    steps = [samples[i:i + options.batch] for i in range(0, len(samples) - options.batch + 1, options.batch)][:options.steps]
    batches = [batch(step[rank::options.threads]) for step in steps]
    optimiser = torch.optim.AdamW(list(model.rates(config, weights, 5e-5, 0.05)), betas=(0.9, 0.95))
    parameters, seconds = list(weights.values()), []
    for ids, pixels, rows, kept, targets, share in batches:
        group.barrier()
        start = time.perf_counter()
        optimiser.zero_grad()
        losses = F.cross_entropy(model.decoder(config, weights, ids, pixels, rows, kept), targets, reduction="none")
        (losses * share).sum().backward()
        flat = torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in parameters])
        group.all_reduce(flat)
        flat /= options.threads
        for p, gradient in zip(parameters, flat.split([p.numel() for p in parameters])):
            p.grad = gradient.view_as(p)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        results.put((sum(len(sample[0]) for step in steps for sample in step) / sum(seconds), statistics.median(seconds), torch.__version__))


def pytorch(options):
    import torch.multiprocessing as processes
    context = processes.get_context("spawn")
    results = context.SimpleQueue()
    processes.spawn(peer, (options, results), nprocs=options.threads)
    return results.get()


def ours(options):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [options.xc2, "train", "--recipe", "sft", "--model", options.model, "--data", options.data, "--out", folder + "/run", "--accumulate", str(options.batch),
             "--threads", str(options.threads)], check=True, capture_output=True)
        lines = [json.loads(line) for line in open(folder + "/run/metrics.jsonl")][:options.steps]
    return sum(line["tokens"] for line in lines) / sum(line["seconds"] for line in lines), statistics.median(line["seconds"] for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("xc2", "model", "data"):
        parser.add_argument("--" + name, required=True)
    for name, value in (("batch", 16), ("steps", 24), ("threads", os.cpu_count()), ("turns", 3), ("port", 29519)):
        parser.add_argument("--" + name, type=int, default=value)
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    print("| turn | ours, tokens/s | median step, s | PyTorch, tokens/s | median step, s | ours / PyTorch |\n|---|---|---|---|---|---|")
    ratios = []
    for turn in range(options.turns):
        (mine, my_step), (theirs, their_step, version) = ours(options), pytorch(options)
        ratios.append(mine / theirs)
        print(f"| {turn + 1} | {mine:.0f} | {my_step:.3f} | {theirs:.0f} | {their_step:.3f} | {ratios[-1]:.2f} |", flush=True)
    print(f"\nMedian ratio {statistics.median(ratios):.2f}; torch {version}, {options.threads} threads, {options.batch} samples a step.")


if __name__ == "__main__":
    main()
