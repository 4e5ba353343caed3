"""Folders of models as Apple's tools and Xcode write them, small enough for a test.

Interfaces, file names and the forms of ``model.mil``, ``metadata.json`` and the package's
specification are the published ones; the programs compute nothing and the weights are empty.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coremltools.proto import FeatureTypes_pb2, Model_pb2

Features = dict[str, tuple[tuple[int, ...], str]]
Interface = tuple[Features, Features]

_MIL = {"float16": "fp16", "float32": "fp32", "int32": "int32"}
_CODES = {"float16": 65552, "float32": 65568, "int32": 131104}


def interfaces(width: int = 768, side: int = 64, batch: int = 2) -> dict[str, Interface]:
    """What the models of a folder take and give, by stem."""
    xl = width == 2048
    more: Features = {
        "time_ids": ((batch, 6), "float16"),
        "text_embeds": ((batch, 1280), "float16"),
    }
    hidden = "hidden_embeds" if xl else "last_hidden_state"
    found: dict[str, Interface] = {
        "TextEncoder": (
            {"input_ids": ((1, 77), "float32")},
            {hidden: ((1, 77, 768), "float32"), "pooled_outputs": ((1, 768), "float32")},
        ),
        "Unet": (
            {
                "sample": ((batch, 4, side, side), "float16"),
                "timestep": ((batch,), "float16"),
                "encoder_hidden_states": ((batch, width, 1, 77), "float16"),
                **(more if xl else {}),
            },
            {"noise_pred": ((batch, 4, side, side), "float32")},
        ),
        "VAEDecoder": (
            {"z": ((1, 4, side, side), "float32" if xl else "float16")},
            {"image": ((1, 3, 8 * side, 8 * side), "float32")},
        ),
        "VAEEncoder": (
            {"x": ((1, 3, 8 * side, 8 * side), "float16")},
            {"latent": ((1, 8, side, side), "float32")},
        ),
    }
    if xl:
        takes, _ = found["TextEncoder"]
        gives: Features = {"hidden_embeds": ((1, 77, 1280), "float32")}
        found["TextEncoder2"] = (takes, {**gives, "pooled_outputs": ((1, 1280), "float32")})
    return found


def published(
    folder: Path, kind: str = "mil", attention: str = "split_einsum", palette: int = 0, **sizes: Any
) -> Path:
    """A folder of ``kind`` "mil" (compileModel), "metadata" (a neural network of Xcode's), or
    "package"."""
    folder.mkdir(parents=True)
    for stem, interface in interfaces(**sizes).items():
        write_model(folder, stem, interface, kind, attention, palette)
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_text("{}", "utf-8")
    return folder


def write_model(
    folder: Path,
    stem: str,
    interface: Interface,
    kind: str = "mil",
    attention: str = "",
    palette: int = 0,
) -> None:
    if kind == "package":
        write_package(folder / f"{package_name(stem)}.mlpackage", {"main": interface}, attention)
        return
    path = folder / f"{stem}.mlmodelc"
    (path / "weights").mkdir(parents=True)
    (path / "coremldata.bin").write_bytes(b"\x03\x00\x00\x00")
    if kind == "mil":
        (path / "model.mil").write_text(mil(interface, attention, palette), "utf-8")
        (path / "weights" / "weight.bin").write_bytes(b"\x02\x00\x00\x00")
    else:
        (path / "metadata.json").write_text(json.dumps([metadata(interface)]), "utf-8")


def package_name(stem: str) -> str:
    name = {
        "Unet": "unet",
        "TextEncoder": "text_encoder",
        "TextEncoder2": "text_encoder_2",
        "VAEDecoder": "vae_decoder",
        "VAEEncoder": "vae_encoder",
    }[stem]
    return f"Stable_Diffusion_version_some_model-1_{name}"


def mil(interface: Interface, attention: str, palette: int) -> str:
    takes, gives = interface
    arguments = ", ".join(f"{_tensor(*about)} {name}" for name, about in takes.items())
    lines = [
        "program(1.0)",
        '[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "1"}})]',
        "{",
        f"    func main<ios16>({arguments}) {{",
        '            tensor<int32, [4]> w = const()[name = tensor<string, []>("w"), val = tensor<'
        'fp16, [4]>(BLOBFILE(path = tensor<string, []>("@model_path/weights/weight.bin"), '
        "offset = tensor<uint64, []>(64)))];",
    ]
    if palette:
        lines.append(
            "            tensor<fp16, [8]> p = constexpr_lut_to_dense()["
            f"indices = tensor<uint8, [6]>(0), lut = tensor<fp16, [{palette}]>(0), "
            "shape = tensor<uint32, [1]>([8])];"
        )
    if attention == "split_einsum":
        lines.append('            tensor<fp16, [1, 2]> a = einsum(equation = "nchw,nwhu->nchu");')
    if attention == "sdpa":
        lines.append(
            "            tensor<fp16, [1, 2]> a = scaled_dot_product_attention(query = q);"
        )
    for name, about in gives.items():
        lines.append(f"            tensor<fp16, [1]> {name}_half = relu(x = w);")
        lines.append(f"            {_tensor(*about)} {name} = cast(dtype = d, x = {name}_half);")
    return "\n".join([*lines, f"        }} -> ({', '.join(gives)});", "}"])


def _tensor(shape: tuple[int, ...], dtype: str) -> str:
    return f"tensor<{_MIL[dtype]}, [{', '.join(map(str, shape))}]>"


def metadata(interface: Interface) -> dict[str, Any]:
    takes, gives = interface
    return {
        "metadataOutputVersion": "3.0",
        "specificationVersion": 7,
        "inputSchema": [_schema(name, *about) for name, about in takes.items()],
        "outputSchema": [_schema(name, (), about[1]) for name, about in gives.items()],
    }


def _schema(name: str, shape: tuple[int, ...], dtype: str) -> dict[str, str]:
    return {
        "hasShapeFlexibility": "0",
        "isOptional": "0",
        "dataType": dtype.capitalize(),
        "formattedType": f"MultiArray ({dtype.capitalize()})",
        "shape": str(list(shape)),
        "name": name,
        "type": "MultiArray",
    }


def write_package(path: Path, functions: dict[str, Interface], attention: str = "") -> Path:
    """With several functions, each under its name; outputs say no shape, as converters leave it."""
    inside = path / "Data" / "com.apple.CoreML"
    (inside / "weights").mkdir(parents=True)
    model = Model_pb2.Model(specificationVersion=8 if len(functions) == 1 else 9)
    for name, interface in functions.items():
        place = model.description
        if len(functions) > 1:
            place = model.description.functions.add(name=name)
        _describe(place, interface)
    model.mlProgram.version = 1
    function = model.mlProgram.functions["main"]
    function.opset = "CoreML6"
    operation = function.block_specializations["CoreML6"].operations.add(type=attention or "relu")
    operation.attributes["path"].blobFileValue.fileName = "@model_path/weights/weight.bin"
    if attention == "split_einsum":
        operation.type = "einsum"
    (inside / "model.mlmodel").write_bytes(model.SerializeToString())
    (inside / "weights" / "weight.bin").write_bytes(b"\x02\x00\x00\x00")
    items = {
        "1": {"path": "com.apple.CoreML/model.mlmodel"},
        "2": {"path": "com.apple.CoreML/weights"},
    }
    manifest = {"itemInfoEntries": items, "rootModelIdentifier": "1"}
    (path / "Manifest.json").write_text(json.dumps(manifest), "utf-8")
    return path


def _describe(place: Any, interface: Interface) -> None:
    for features, side, shaped in (
        (interface[0], place.input, True),
        (interface[1], place.output, False),
    ):
        for name, (shape, dtype) in features.items():
            array = FeatureTypes_pb2.ArrayFeatureType(dataType=_CODES[dtype])
            array.shape.extend(shape if shaped else ())
            feature = side.add(name=name)
            feature.type.multiArrayType.CopyFrom(array)
