#!/usr/bin/env python3
"""Writes golden.safetensors: what the original InternLM-XComposer2 code computes from a checkpoint, stage by stage, for `xc2 verify`.

Needs the environment of the original (README.md) and the published checkpoint with its Python files. Arithmetic is float32 by default, whatever
the stored type, as the tolerances of `xc2 verify` assume."""
import argparse
import json
import struct
import sys

import torch

PROMPTS = {"text": 0, "one_image": 1, "two_images": 2}
TYPES = {torch.float32: "F32", torch.int32: "I32", torch.uint8: "U8"}


class Golden:
    """Named tensors in memory, in the order in which they are written."""

    def __init__(self):
        self.tensors = {}

    def add(self, name, tensor, dtype=torch.float32):
        self.tensors[name] = tensor.detach().to("cpu", dtype).contiguous()
        print(f"  {name} {list(tensor.shape)}", file=sys.stderr)

    def write(self, path):
        header, offset = {"__metadata__": {"format": "pt"}}, 0
        for name, tensor in self.tensors.items():
            size = tensor.numel() * tensor.element_size()
            header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
            offset += size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for tensor in self.tensors.values():
                tensor.numpy().tofile(file)


def record_vision(model, pixels, golden):
    """pixels: [images, 3, S, S], normalised. Returns the projector's rows [images, patches, hidden]."""
    golden.add("pixel_values", pixels)
    vision = model.vit.vision_tower.vision_model
    golden.add("position_embedding_resized", vision.embeddings.position_embedding.weight)
    weight = model.vision_proj[0].weight
    states = model.vit.vision_tower(pixels.to(weight.device, weight.dtype), output_hidden_states=True).hidden_states
    golden.add("vit_hidden_states", torch.stack(tuple(states)))
    features = model.vit(pixels.to(weight.device, weight.dtype))
    golden.add("image_features", features)
    rows = model.vision_proj(features.to(weight.dtype))
    golden.add("image_embeds", rows)
    return rows


def record_prompt(model, name, parts, rows, steps, golden):
    """parts: three tensors of ids; picture i stands after part i."""
    device = model.model.tok_embeddings.weight.device
    pieces, mask = [], []
    for place, ids in enumerate(parts):
        pieces.append(model.model.tok_embeddings(ids.to(device).unsqueeze(0)))
        mask += [0] * len(ids)
        if place < PROMPTS[name]:
            pieces.append(rows[place].unsqueeze(0))
            mask += [1] * rows.shape[1]
    embeds = torch.cat(pieces, dim=1)
    image_mask = torch.tensor(mask, dtype=torch.bool, device=device)
    golden.add(f"{name}.inputs_embeds", embeds[0])
    golden.add(f"{name}.image_mask", image_mask, torch.uint8)
    out = model(inputs_embeds=embeds, im_mask=image_mask.unsqueeze(0), use_cache=True, output_hidden_states=True, return_dict=True)
    golden.add(f"{name}.logits", out.logits[0])
    golden.add(f"{name}.hidden", torch.stack([state[0] for state in out.hidden_states]))
    ids, step_logits = [], []
    for _ in range(steps):
        ids.append(int(out.logits[0, -1].argmax()))
        out = model(input_ids=torch.tensor([[ids[-1]]], device=device), past_key_values=out.past_key_values, use_cache=True, return_dict=True)
        step_logits.append(out.logits[0, -1].float().cpu())
    golden.add(f"{name}.greedy_ids", torch.tensor(ids), torch.int32)
    golden.add(f"{name}.step_logits", torch.stack(step_logits))


@torch.no_grad()
def record(model, parts, pixels, prompts, steps=12):
    """model: the original InternLMXComposer2ForCausalLM, in eval mode."""
    golden = Golden()
    rows = record_vision(model, pixels, golden)
    golden.add("text_ids", torch.cat(parts), torch.int32)
    golden.add("text_split", torch.tensor([len(part) for part in parts]), torch.int32)
    for name in prompts:
        record_prompt(model, name, parts, rows, steps, golden)
    return golden


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", required=True, help="folder of the published checkpoint, with its Python files")
    parser.add_argument("--image", action="append", required=True, help="a picture; give two for the prompt two_images")
    parser.add_argument("--question", default="Please describe this image in detail.")
    parser.add_argument("--prompts", default=None, help="comma-separated: text, one_image, two_images (all that the pictures suffice for)")
    parser.add_argument("--out", default="golden.safetensors")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    arguments = parser.parse_args()
    arguments.prompts = arguments.prompts.split(",") if arguments.prompts else [name for name, count in PROMPTS.items() if count <= len(arguments.image)]
    for name in arguments.prompts:
        if PROMPTS.get(name, 99) > len(arguments.image):
            parser.error(f"prompt {name}: expected one of {', '.join(PROMPTS)}, with that many pictures; found {len(arguments.image)}")
    return arguments


def main():
    arguments = read_arguments()
    from PIL import Image
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # The folder's own Python files are the original code; they are run.
    tokenizer = AutoTokenizer.from_pretrained(arguments.model, trust_remote_code=True)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, torch_dtype=getattr(torch, arguments.dtype), trust_remote_code=True)
    model = model.to(arguments.device).eval()
    texts = ["[UNUSED_TOKEN_146]user\n", arguments.question, "[UNUSED_TOKEN_145]\n[UNUSED_TOKEN_146]assistant\n"]
    parts = [tokenizer(text, return_tensors="pt", add_special_tokens=place == 0).input_ids[0] for place, text in enumerate(texts)]
    pixels = torch.stack([model.vis_processor(Image.open(name).convert("RGB")) for name in arguments.image])
    record(model, parts, pixels, arguments.prompts).write(arguments.out)
    print(f"{arguments.out} is written; compare: xc2 verify --model {arguments.model} --golden {arguments.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
