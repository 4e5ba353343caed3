"""The tokenizer: CLIP's byte-pair merges, trimmed to those that the captions' English needs."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from transformers import CLIPTokenizer

LENGTH = 24
START, END = "<|startoftext|>", "<|endoftext|>"
Pair = tuple[str, str]


def read_merges(package: Path) -> list[Pair]:
    """CLIP's 48,894 merges, in order, from the unpacked open_clip_torch wheel."""
    path = package / "open_clip" / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    pairs = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    return [(pair[0], pair[1]) for pair in pairs]


def common_words(emojibase: Path) -> set[str]:
    """Words of the English CLDR labels and tags: everyday nouns, adjectives and verbs."""
    rows = json.loads((emojibase / "package" / "en" / "compact.json").read_text("utf-8"))
    text = " ".join(" ".join([row.get("label", ""), *row.get("tags", [])]) for row in rows)
    return set(re.findall(r"[a-z]+", text.lower()))


def needed(merges: list[Pair], words: set[str]) -> list[Pair]:
    """The merges that byte-pair encoding applies to any of the words, in their old order."""
    rank = {pair: place for place, pair in enumerate(merges)}
    used: set[Pair] = set()
    for word in words:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pairs = [(parts[i], parts[i + 1]) for i in range(len(parts) - 1)]
            best = min(pairs, key=lambda pair: rank.get(pair, len(rank)))
            if best not in rank:
                break
            used.add(best)
            at = pairs.index(best)
            parts[at : at + 2] = ["".join(best)]
    return sorted(used, key=rank.__getitem__)


def _byte_letters() -> list[str]:
    """CLIP's 256 printable stand-ins for bytes, in its order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(b) for b in printable] + [chr(256 + place) for place in range(len(others))]


def build(merges: list[Pair], folder: Path) -> CLIPTokenizer:
    """Write a CLIP tokenizer of these merges into a folder and load it."""
    letters = _byte_letters()
    tokens = [*letters, *(letter + "</w>" for letter in letters)]
    tokens += list(dict.fromkeys("".join(pair) for pair in merges))
    tokens += [START, END]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    tokenizer = CLIPTokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        model_max_length=LENGTH,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def encode(tokenizer: CLIPTokenizer, captions: list[str]) -> list[list[int]]:
    """Token numbers as the pipeline makes them: start, words, end, padded with end to 24."""
    found = tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True)
    return [list(row) for row in found.input_ids]
