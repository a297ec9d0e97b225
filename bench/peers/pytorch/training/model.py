"""XComposer2 in PyTorch for the peer of training: functions of a dictionary of tensors, named as in a checkpoint in the published layout."""
import json
import math
import pathlib
import struct

import torch
import torch.nn.functional as F

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


def load(folder):
    """config.json, and the bf16 or f32 tensors of model.safetensors as trained float32 ones."""
    folder = pathlib.Path(folder)
    raw = (folder / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, facts in json.loads(raw[8:8 + size]).items():
        if name == "__metadata__":
            continue
        first, last = facts["data_offsets"]
        kind = {"BF16": torch.bfloat16, "F32": torch.float32}[facts["dtype"]]
        values = torch.frombuffer(bytearray(raw[8 + size + first:8 + size + last]), dtype=kind)
        tensors[name] = values.float().view(facts["shape"]).clone().requires_grad_()
    return json.loads((folder / "config.json").read_text()), tensors


def rates(config, tensors, rate, decay):
    """The groups of the recipe sft: the language model at a fifth of the rate, vision layers at 0.9 of the next one's."""
    depth = config["vision_config"]["num_hidden_layers"]
    for name, tensor in tensors.items():
        scale = 1.0
        if name.startswith("vit."):
            layer = int(name.split("encoder.layers.")[1].split(".")[0]) + 1 if "encoder.layers." in name else 0
            scale = 0.9 ** (depth - layer)
        elif not name.startswith("vision_proj.") and "Plora" not in name:
            scale = 0.2
        yield {"params": [tensor], "lr": rate * scale, "weight_decay": decay if tensor.dim() > 1 else 0.0}


def vision(config, w, pixels):
    """[pictures, 3, S, S] -> [pictures x patches, hidden]."""
    c, root = config["vision_config"], "vit.vision_tower.vision_model."
    width, heads, epsilon = c["hidden_size"], c["num_attention_heads"], c["layer_norm_eps"]

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, (width,), w[name + ".weight"], w[name + ".bias"], epsilon)

    x = F.conv2d(pixels, w[root + "embeddings.patch_embedding.weight"], stride=c["patch_size"]).flatten(2).transpose(1, 2)
    x = torch.cat((w[root + "embeddings.class_embedding"].expand(x.shape[0], 1, -1), x), 1) + w[root + "embeddings.position_embedding.weight"]
    x = norm(x, root + "pre_layrnorm")
    for layer in range(c["num_hidden_layers"]):
        here = f"{root}encoder.layers.{layer}."
        y = norm(x, here + "layer_norm1")
        q, k, v = (linear(y, f"{here}self_attn.{part}_proj").unflatten(-1, (heads, -1)).transpose(1, 2) for part in "qkv")
        p = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width // heads), -1)
        x = x + linear((p @ v).transpose(1, 2).flatten(2), here + "self_attn.out_proj")
        y = linear(norm(x, here + "layer_norm2"), here + "mlp.fc1")
        x = x + linear(y * torch.sigmoid(1.702 * y), here + "mlp.fc2")
    return linear(F.gelu(linear(x[:, 1:].flatten(0, 1), "vision_proj.0")), "vision_proj.2")


def decoder(config, w, ids, pixels, rows, kept):
    """Logits of the kept positions. ids [batch, n]; rows [batch, n]: the row of the pictures that stands there, or -1; kept [batch, n]."""
    hidden, heads, groups = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    size, epsilon, n = hidden // heads, config["rms_norm_eps"], ids.shape[1]
    x, visual = F.embedding(ids, w["model.tok_embeddings.weight"]), (rows >= 0).unsqueeze(-1)
    mask = None
    if pixels is not None:
        x = torch.where(visual, vision(config, w, pixels)[rows.clamp(min=0)], x)
        mask = visual.to(x.dtype)

    def linear(x, name):
        y = F.linear(x, w[name + ".weight"])
        return y if mask is None else y + F.linear(F.linear(x, w[name + ".Plora_A.weight"]), w[name + ".Plora_B.weight"]) * mask

    def norm(x, name):
        return w[name] * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon))

    angles = torch.outer(torch.arange(n).float(), config["rope_theta"] ** (-torch.arange(0, size, 2).float() / size))
    cosine, sine = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)

    def rotate(x):
        a, b = x.chunk(2, -1)
        return x * cosine + torch.cat((-b, a), -1) * sine

    unseen = torch.full((n, n), float("-inf")).triu(1)
    for layer in range(config["num_hidden_layers"]):
        here = f"model.layers.{layer}."
        packed = linear(norm(x, here + "attention_norm.weight"), here + "attention.wqkv").unflatten(-1, (groups, -1, size))
        q = packed[..., :-2, :].flatten(2, 3).transpose(1, 2)
        k, v = (packed[..., part, :].transpose(1, 2).repeat_interleave(heads // groups, 1) for part in (-2, -1))
        p = torch.softmax(rotate(q) @ rotate(k).transpose(-1, -2) / math.sqrt(size) + unseen, -1)
        x = x + linear((p @ v).transpose(1, 2).flatten(2), here + "attention.wo")
        y = norm(x, here + "ffn_norm.weight")
        x = x + linear(F.silu(linear(y, here + "feed_forward.w1")) * linear(y, here + "feed_forward.w3"), here + "feed_forward.w2")
    return F.linear(norm(x[kept], "model.norm.weight"), w["output.weight"])
