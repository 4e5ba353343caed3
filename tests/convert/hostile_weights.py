"""Hostile headers, tensors that are no model's, and files that are something else."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save

from tests.convert.corpus import UNSOUND, add, content

UNET = "model.diffusion_model.input_blocks.0.0.weight"
TEXT = "cond_stage_model.transformer.text_model.final_layer_norm.weight"


def fill() -> None:
    _headers()
    _families()
    _not_models()


def headed(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    packed = header if isinstance(header, bytes) else json.dumps(header).encode()
    said = len(packed) if length is None else length
    return said.to_bytes(8, "little") + packed + data


def entry(begin: int, end: int, shape: list[object], dtype: str = "F16") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def _headers() -> None:
    for name, reasons, data in (
        ("empty", UNSOUND, b""),
        ("seven bytes", UNSOUND, b"1234567"),
        ("no header", UNSOUND, headed(b"")),
        ("header of 9 exabytes", UNSOUND, headed(b"{}", length=2**63)),
        ("header of 4 GB", UNSOUND, headed(b"{}", length=2**32)),
        ("header beyond the file", UNSOUND, headed(b"{}", length=5000)),
        ("header over 4 MiB", UNSOUND, headed(b"{" + b" " * (4 << 20) + b"}")),
        ("empty object", UNSOUND, headed({})),
        ("a list", UNSOUND, headed([])),
        ("not JSON", UNSOUND, headed(b'{"a": ')),
        ("not UTF-8", UNSOUND, headed(b'{"a": "\xff"}')),
        ("100,000 deep", UNSOUND, headed(b'{"a":' + b"[" * 100_000)),
        ("a number of a million digits", UNSOUND, headed(b'{"a":' + b"9" * 10**6 + b"}")),
        ("entry is a number", UNSOUND, headed({"a": 1})),
        ("entry is empty", UNSOUND, headed({"a": {}})),
        ("entry is a list", UNSOUND, headed({"a": [1, 2]})),
        ("one byte short", UNSOUND, headed({"a": entry(0, 12, [2, 3])}, bytes(11))),
        ("one byte long", UNSOUND, headed({"a": entry(0, 12, [2, 3])}, bytes(13))),
        ("shape that lies", UNSOUND, headed({"a": entry(0, 12, [2, 4])}, bytes(12))),
        ("negative shape", UNSOUND, headed({"a": entry(0, 12, [-2, -3])}, bytes(12))),
        ("fractions", UNSOUND, headed({"a": entry(0, 12, [2.0, 3])}, bytes(12))),
        ("truth as a size", UNSOUND, headed({"a": entry(0, 2, [True])}, bytes(2))),
        ("unknown dtype", UNSOUND, headed({"a": entry(0, 12, [2, 3], "F17")}, bytes(12))),
        ("dtype is a list", UNSOUND, headed(
            {"a": {"dtype": [], "shape": [1], "data_offsets": [0, 2]}}, bytes(2))),
        ("three offsets", UNSOUND, headed(
            {"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 1, 2]}}, bytes(2))),
        ("backwards", UNSOUND, headed({"a": entry(12, 0, [2, 3])}, bytes(12))),
        ("overlap", UNSOUND, headed({"a": entry(0, 4, [2]), "b": entry(2, 6, [2])}, bytes(6))),
        ("hole", UNSOUND, headed({"a": entry(0, 4, [2]), "b": entry(6, 10, [2])}, bytes(10))),
        ("17 dimensions", UNSOUND, headed({"a": entry(0, 0, [0] * 17)})),
        ("overflow", UNSOUND, headed({"a": entry(0, 4, [2**62, 2**62])}, bytes(4))),
        ("20,001 tensors", UNSOUND, headed({str(i): entry(0, 0, [0]) for i in range(20_001)})),
        ("a name twice", UNSOUND, headed(
            b'{"a":{"dtype":"F16","shape":[768],"data_offsets":[0,1536]},'
            b'"a":{"dtype":"F16","shape":[768],"data_offsets":[0,1536]}}', bytes(1536))),
        ("metadata of numbers", UNSOUND, headed(
            {"__metadata__": {"a": 1}, "b": entry(0, 1536, [768])}, bytes(1536))),
        ("no tensor of ours", "unknown family", headed({"a": entry(0, 12, [2, 3])}, bytes(12))),
        ("empty vector", "unknown family", headed({"a": entry(0, 0, [0, 768])})),
        ("integers", "unknown format", headed({"a": entry(0, 768, [768], "I8")}, bytes(768))),
        ("truths", "unknown format", headed({"a": entry(0, 768, [768], "BOOL")}, bytes(768))),
        ("infinity", "not finite", headed({"a": entry(0, 1536, [768])}, b"\x00\x7c" * 768)),
        ("NaN in the last place", "not finite",
         headed({"a": entry(0, 1536, [768])}, bytes(1534) + b"\x00\x7e")),
    ):  # fmt: skip
        content(f"header: {name}", reasons, ".safetensors", data)


def tensors(name: str, reasons: frozenset[str] | str, state: dict[str, torch.Tensor]) -> None:
    def build(folder: Path, _: Path) -> Path:
        file = folder / "hostile.safetensors"
        file.write_bytes(save({key: tensor.clone() for key, tensor in state.items()}))
        return file

    add(name, reasons, build)


def _families() -> None:
    conv, some = torch.ones(16, 4, 3, 3), torch.ones(2)
    stem = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    down, up = f"{stem}.lora_down.weight", f"{stem}.lora_up.weight"
    wide = torch.ones(2, 768)
    strange = "unknown family"
    tensors("UNet alone", strange, {UNET: conv})
    tensors("instruct-pix2pix", strange, {UNET: torch.ones(16, 8, 3, 3), TEXT: some})
    tensors("flat first layer", strange, {UNET: torch.ones(16), TEXT: some})
    tensors("no channels", strange, {UNET: torch.ones(16, 0, 3, 3), TEXT: some})
    tensors("refiner", strange, {UNET: conv, "conditioner.embedders.0.model.ln_final.bias": some})
    tensors("Flux", strange, {"double_blocks.0.img_attn.qkv.weight": torch.ones(9, 3)})
    partial = frozenset({"damaged", strange})
    tensors("checkpoint without the rest", partial, {UNET: conv, TEXT: some})
    tensors("SDXL without the rest", partial, {
        UNET: conv, "conditioner.embedders.1.model.ln_final.weight": some})  # fmt: skip
    tensors("checkpoint of 6,000 blocks", "too large", {
        UNET: conv, TEXT: some,
        **{f"model.diffusion_model.input_blocks.{i}.0.x": some for i in range(6000)}})  # fmt: skip
    tensors(
        "checkpoint of absurd names",
        partial,
        {UNET: conv, TEXT: some, "model.diffusion_model.input_blocks.99999.0.x": some},
    )
    deep = torch.ones(8, 16, 3, 3)
    tensors("16-channel autoencoder", strange, {
        "decoder.conv_in.weight": deep, "encoder.conv_in.weight": conv})  # fmt: skip
    tensors("autoencoder without the rest", partial, {
        "decoder.conv_in.weight": conv, "encoder.conv_in.weight": conv})  # fmt: skip
    tensors("LoRA, half a pair", "damaged", {down: wide})
    tensors("LoRA, two ranks", "damaged", {down: wide, up: torch.ones(320, 3)})
    tensors("LoRA, absurd rank", "damaged", {down: torch.ones(2049, 4), up: torch.ones(4, 2049)})
    tensors("LoRA, another width", strange, {down: torch.ones(2, 4096), up: torch.ones(320, 2)})
    tensors("LoRA, more inside", strange, {down: wide, up: torch.ones(320, 2), "payload": some})
    tensors("LoRA, two families", strange, {
        down: wide, up: torch.ones(320, 2),
        down.replace("blocks_0", "blocks_1"): torch.ones(2, 1024),
        up.replace("blocks_0", "blocks_1"): torch.ones(320, 2)})  # fmt: skip
    tensors("LoRA, not finite", "not finite", {down: wide / 0, up: torch.ones(320, 2)})
    tensors("LoHa", strange, {f"{stem}.hada_w1_a": wide, f"{stem}.hada_w1_b": wide})
    tensors("embedding of a book", strange, {"emb_params": torch.ones(513, 768)})
    tensors("embedding of another width", strange, {"emb_params": torch.ones(2, 4096)})
    tensors("embedding of SDXL, swapped", strange, {
        "clip_l": torch.ones(2, 1280), "clip_g": torch.ones(2, 768)})  # fmt: skip


def _not_models() -> None:
    page = b"<!doctype html><title>Log in</title>"
    for suffix in (".safetensors", ".ckpt", ".pt", ".bin"):
        content(f"a web page{suffix}", UNSOUND, suffix, page)
        content(f"words{suffix}", UNSOUND, suffix, b"Weights, coming soon!\n" * 100)
        content(f"zeros{suffix}", UNSOUND, suffix, bytes(100_000))
    content("a picture", UNSOUND, ".safetensors", b"\x89PNG\r\n\x1a\n" + bytes(1000))
    content("a picture.ckpt", UNSOUND, ".ckpt", b"\x89PNG\r\n\x1a\n" + bytes(1000))
    content("another suffix", "unknown format", ".exe", save({"<cat>": torch.ones(768)}))
    content("no suffix", "unknown format", "", save({"<cat>": torch.ones(768)}))
    content("safetensors as ckpt", "unknown format", ".ckpt", save({"<cat>": torch.ones(768)}))
    content("GGUF", UNSOUND, ".safetensors", b"GGUF\x03" + bytes(1000))
    content("plain zip", "unknown format", ".pt", b"PK\x05\x06" + bytes(18))
    content("old pickle", "unknown format", ".ckpt", b"cos\nsystem\n(S'true'\ntR.")
    content("tar", "unknown format", ".ckpt", b"archive/".ljust(257, b"\0") + b"ustar" + bytes(900))
