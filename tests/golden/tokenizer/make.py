#!/usr/bin/env python3
"""Writes the cases beside it with SentencePiece 0.1.97: python3 make.py REAL_MODEL (the published internlm2 tokenizer.model)."""
import io
import json
import os
import random
import struct
import sys

import sentencepiece

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
DEMO = os.path.join(ROOT, "tools", "demo", "checkpoint", "tokenizer.model")
SMALL = os.path.join(HERE, "small.model")

TEXTS = [
    "", " ", "  ", "   x", "x   ", "\n", "\n\n", "\n\n\n", "\t", "\r\n", "a", "aa", "aaa", "aaaa", "aaaaa", "aaaaaa", "aaaaaaa", "ababa", "abab",
    "abcabcab", "The image shows a red circle.", "The  image\n\nshows", "请描述这张图片。", "图中有左上的橙色三角形，右边的蓝色圆形。", "繁體中文", "日本語テスト",
    "한국어 시험", "Привет", "مرحبا", "नमस्ते", "ไทย", "😀", "👨\u200d👩\u200d👧", "𠀤𠀥", "e\u0301é", "\ufeffbom", "\u00a0nbsp", "\ufffd", "\u0000\u0001",
    "<s>", "</s>", "<unk>", "<pad>", "<|end|>", "<0x0A>", "<0x41>", "[UNUSED_TOKEN_145]", "[UNUSED_TOKEN_1]", "[UNUSED_TOKEN_10]", "[UNUSED_TOKEN_100]",
    "[UNUSED_TOKEN_1", "[[UNUSED_TOKEN_145]]", "[UNUSED_TOKEN_14[UNUSED_TOKEN_145]", "x[UNUSED_TOKEN_0]y", "Ａ", "ＡＢ", "ＡＢＡ", "ｂｃ１２", "—", "——", "———",
    "—————", "……", "…", "………", "▁", "▁▁", "a▁b", "a ▁b", "<ImageHere>Describe this image.", "<ImageHere> <ImageHere>", "<Seg0> A\n<Seg1> B\n", "\"quoted\"",
    "don't can't", "1234567890", "3.14", "{\"a\":[1,2]}", "SELECT * FROM t;", "x" * 60, "ab" * 60, " " * 41, "\n" * 21, "色" * 9, "最最引人注目目",
    "Which image shows a blue circle?", "How many shapes are there?", "List the shapes as JSON.",
]
LETTERS = list("aabbcdeest  \n.,!?[]<>_-0145TUNSEDKO") + ["▁", "图", "片", "色", "圆", "的", "é", "ñ", "Ａ", "Ｂ", "ｂ", "—", "…", "😀", "𠀤", "[UNUSED_TOKEN_145]", "UNUSED", "\u0301"]
QUESTIONS = ["What can you do?", "Describe this image.", "  two spaces", "\nnewline first", "请描述这张图片。", "Ends with space ", "a\n", "user\n", "😀"]
REAL = ["aaaaa", "aaaaaaa", "b" * 7, " " * 23 + "x", "\n" * 5, " \n\n\n\n\n", "======" * 7, "哈哈哈哈哈", "0000000", "<s>a</s>", "···", "的的的"]


def fields(data):
    stream = io.BytesIO(data)

    def varint():
        value = shift = 0
        while True:
            byte = stream.read(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while stream.tell() < len(data):
        tag = varint()
        wire = tag & 7
        if wire == 0:
            yield tag, varint()
        else:
            yield tag, stream.read(varint() if wire == 2 else 4)


def number(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def train_small():
    """A model with what the published ones have little of: overlapping user-defined pieces, other control pieces, equal scores."""
    random.seed(7)
    words = "The image shows a red blue green circle square triangle on the left right and there are three of them".split()
    lines = [" ".join(random.choice(words) for _ in range(12)) + random.choice(".!?") for _ in range(400)]
    lines += ["a" * random.randint(1, 9) + "b" * random.randint(1, 9) + " " * random.randint(0, 9) + "x" for _ in range(200)]
    lines += ["图片中有红色的圆形和蓝色的三角形", "请描述这张图片"] * 50
    corpus = os.path.join(HERE, "corpus.tmp")
    with open(corpus, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input=corpus, model_prefix=SMALL[:-6], model_type="bpe", vocab_size=520, byte_fallback=True, character_coverage=1.0,
        normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        control_symbols=["<pad>", "<|end|>"], minloglevel=2,
        user_defined_symbols=["[UNUSED_TOKEN_0]", "[UNUSED_TOKEN_1]", "[UNUSED_TOKEN_10]", "[UNUSED_TOKEN_145]", "[UNUSED_TOKEN_146]",
                              "Ａ", "ＡＢ", "—", "——", "……", "abc", "ab", "▁▁▁▁▁▁▁▁▁▁", "\n\n"])
    os.remove(corpus)
    os.remove(SMALL[:-6] + ".vocab")
    with open(SMALL, "rb") as file:
        data = file.read()
    out = b""
    for tag, value in fields(data):
        if tag == 10:
            piece = b""
            for inner, content in fields(value):
                if inner == 21:
                    content = struct.pack("<f", float(int(struct.unpack("<f", content)[0] / 3)))
                piece += number(inner) + (content if inner == 21 else number(content) if inner & 7 == 0 else number(len(content)) + content)
            value = piece
        elif tag == 18:
            # The trainer's paths are nobody's business.
            value = b"".join(number(t) + (c if t & 7 == 5 else number(c) if t & 7 == 0 else number(len(c)) + c) for t, c in fields(value) if t >> 3 not in (1, 2))
        out += number(tag) + number(len(value)) + value
    with open(SMALL, "wb") as file:
        file.write(out)


def write(name, model, texts, seed, decode_count):
    processor = sentencepiece.SentencePieceProcessor(model_file=model)
    random.seed(seed)
    count = processor.get_piece_size()
    ids = [[random.randrange(count) for _ in range(random.randint(1, 24))] for _ in range(decode_count)]
    byte_ids = [i for i in range(count) if processor.is_byte(i)]
    some = byte_ids + [0, 1, 2] * 8
    ids += [[random.choice(some) for _ in range(random.randint(1, 12))] for _ in range(decode_count)]
    for character in "é图😀𠀤":
        encoded = [byte_ids[0] + b for b in character.encode()]
        ids += [encoded, encoded[:-1], encoded[1:], encoded[:-1] + [1] + encoded[-1:], encoded[:-1] + encoded]
    prompt = "[UNUSED_TOKEN_146]user\n%s[UNUSED_TOKEN_145]\n[UNUSED_TOKEN_146]assistant\n"
    cases = {
        "vocabulary": count,
        "encode": [{"text": t, "ids": processor.encode(t)} for t in texts],
        "decode": [{"ids": i, "text": processor.decode(i)} for i in ids],
        "prompt": [{"question": q, "ids": processor.encode(prompt % q)} for q in QUESTIONS],
    }
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        lines = ",\n".join('"%s": %s' % (k, v if k == "vocabulary" else "[\n" + ",\n".join(json.dumps(c, ensure_ascii=True) for c in v) + "\n]") for k, v in cases.items())
        file.write("{\n" + lines + "\n}\n")


def random_texts(count, seed):
    random.seed(seed)
    return ["".join(random.choice(LETTERS) for _ in range(random.randint(1, 40))) for _ in range(count)]


if __name__ == "__main__":
    train_small()
    with open(os.path.join(ROOT, "tests", "golden", "demo-cases", "cases.json"), encoding="utf-8") as file:
        prompts = sorted({case[key] for case in json.load(file) for key in ("prompt", "expected")})
    write("demo.json", DEMO, TEXTS + prompts + random_texts(200, 1), 2, 60)
    write("small.json", SMALL, TEXTS + random_texts(300, 3), 4, 60)
    write("internlm2.json", sys.argv[1], REAL + TEXTS + random_texts(200, 5), 6, 60)
