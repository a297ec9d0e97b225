"""Compares this project's kernel times with PyTorch's from one run on one GPU, as a table:   ratios.py FOLDER

FOLDER contains the output of tools/gpu/run.sh: bench-kernels-written.json and model-7b.json of xc2; peer-kernels.json and peer-model.json of the peer.
Both sides overwrite the L2 cache before each launch. Our launches include more work (norm, rotation, cache, residual, activation), which is not subtracted.
"""
import json
import pathlib
import sys

LINEARS = {
    "wqkv": ("6144x4096, rope and cache", ", normed", "256x4096"),
    "wo": ("4096x4096, residual", "", "256x4096"),
    "w1w3": ("28672x4096, gated", ", normed", "512x4096"),
    "w2": ("4096x14336, residual", "", "256x14336"),
}
TOKENS, VISUAL = 1300, 1225


def pairs():
    """Yields the name of a row of the peer and our launches for the same work. On sm_90 linear_wgmma and
    lora_down_wgmma do the work of linear_prefill and lora_down."""
    for name, (linear, normed, lora) in LINEARS.items():
        rows, columns = linear.split(",")[0].split("x")
        yield f"{name} [{TOKENS},{columns}]x[{rows}]", [f"linear_prefill {linear}, {TOKENS} rows"]
        yield f"{name} with Partial LoRA on {VISUAL} rows", [
            f"lora_down {lora}, {TOKENS} rows, {VISUAL} of them visual", f"linear_prefill {linear}, lora 256 on {VISUAL}, {TOKENS} rows"]
        for count in (1, 4, 8):
            yield f"{name} decode {count}", [f"linear_decode {linear}{normed}, {count} row{'s' * (count > 1)}"]
    patches = VISUAL + 1
    yield f"vit_qkv [{patches},1024]x[3072]", 3 * [f"linear_prefill 1024x1024, bias, {patches} rows"]
    yield f"vit_out [{patches},1024]x[1024]", [f"linear_prefill 1024x1024, bias, residual, {patches} rows"]
    yield f"vit_fc1 [{patches},1024]x[4096]", [f"linear_prefill 4096x1024, bias, quickgelu, {patches} rows"]
    yield f"vit_fc2 [{patches},4096]x[1024]", [f"linear_prefill 1024x4096, bias, residual, {patches} rows"]
    yield f"attention prefill {TOKENS}", [f"prefill_attention 32/8 heads of 128, {TOKENS} rows up to {TOKENS}"]
    yield f"attention decode {TOKENS}", [f"decode_attention 32/8 heads of 128, 1 sequence of {TOKENS}"]
    yield f"attention vision {patches}", [f"vision_attention 16 heads of 64, {patches} tokens"]
    yield f"rms_norm [{TOKENS},4096]", [f"rms_norm {TOKENS} rows of 4096 to bf16"]


def read(folder, name):
    path = folder / name
    return json.loads(path.read_text()) if path.exists() and path.stat().st_size else None


def line(what, ours, peer):
    return f"| {what} | {ours:.1f} | {peer:.1f} | {peer / ours:.2f} |"


def kernels(ours, peer):
    times = {f"{time['kernel'].replace('linear_wgmma', 'linear_prefill').replace('_wgmma', '')} {time['work']}": time["median_us"] for time in ours["kernels"]}
    theirs = {row["name"]: row["us"] for row in peer["rows"]}
    yield f"Launches: {ours['device']}, NVRTC {ours['nvrtc']}; torch {peer['torch']}. Microseconds, medians.\n"
    yield "| peer's name | ours | PyTorch | PyTorch / ours |\n|---|---|---|---|"
    for name, launches in pairs():
        missing = [launch for launch in launches if launch not in times]
        if name not in theirs or missing:
            yield f"| {name} | not measured: {missing or 'by the peer'} | | |"
        else:
            yield line(name, sum(times[launch] for launch in launches), theirs[name])


def model(ours, peer):
    series = {row["name"]: row for row in ours["series"]}
    vision, prefill, decode = (1e3 * series[name]["median_ms"] for name in ("vision", "prefill", "decode"))
    decode /= series["decode"]["tokens"]
    yield f"\nThe model: {ours['model']}; torch {peer['torch']}, {peer['tokens']} tokens. Microseconds, medians.\n"
    yield "| what | ours | PyTorch | PyTorch / ours |\n|---|---|---|---|"
    for mode, times in peer["modes"].items():
        yield line(f"picture, {mode}", vision, times["vision_us"])
        yield line(f"prefill, {mode}", prefill, times["prefill_us"])
        yield line(f"first token, {mode}", vision + prefill, times["first_token_us"])
        yield line(f"generated token, {mode}", decode, times["decode_us"])


def main():
    folder = pathlib.Path(sys.argv[1])
    printed = False
    for table, names in ((kernels, ("bench-kernels-written.json", "peer-kernels.json")), (model, ("model-7b.json", "peer-model.json"))):
        both = [read(folder, name) for name in names]
        if all(both):
            printed = True
            print("\n".join(table(*both)))
    return 0 if printed else f"{folder} has neither both {' and '.join(('bench-kernels-written.json', 'peer-kernels.json'))} nor both model-7b.json and peer-model.json"


if __name__ == "__main__":
    sys.exit(main())
