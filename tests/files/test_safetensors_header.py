"""Headers of weight files: good ones are read, hostile ones refused in milliseconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelDamaged
from app.files.safetensors_header import MAX_HEADER, MAX_TENSORS, read_header


def written(folder: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file = folder / "x.safetensors"
    file.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return file


def tensor(begin: int, end: int, shape: list[int], dtype: str = "F16") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_a_sound_header_is_read(tmp_path: Path) -> None:
    entries = {
        "__metadata__": {"format": "pt"},
        "a": tensor(0, 12, [2, 3]),
        "b": tensor(12, 16, [1], "F32"),
        "nothing": tensor(16, 16, [0, 7]),
    }
    header = read_header(written(tmp_path, entries, bytes(16)))
    assert (header.dtype, header.data_bytes) == ("F16", 16)
    assert header.shapes == {"a": (2, 3), "b": (1,), "nothing": (0, 7)}


@pytest.mark.parametrize(
    ("header", "data", "length", "reason"),
    [
        (b"", b"", 0, "not safetensors"),
        (b"", b"", 2**63, "not safetensors"),
        (b"{}", b"", 10**9, "not safetensors"),
        (b"{}", b"", 5000, "truncated"),
        (b"{}", b"", None, "not safetensors"),
        (b"  {}", b"", None, "not safetensors"),
        (b'{"a": ', b"", None, "not JSON"),
        (b'{"a": "\xff"}', b"", None, "not JSON"),
        (b'{"a":' + b"[" * 100_000, b"", None, "not JSON"),
        (b'{"a": 1, "a": 1}', b"", None, "not JSON"),
        (b"{" + b" " * MAX_HEADER + b"}", b"", None, "not safetensors"),
        ({"a": 1}, b"", None, "mismatch"),
        ({"a": {}}, b"", None, "mismatch"),
        ({"a": tensor(0, 12, [2, 3])}, bytes(11), None, "truncated"),
        ({"a": tensor(0, 12, [2, 3])}, bytes(13), None, "mismatch"),
        ({"a": tensor(0, 12, [2, 4])}, bytes(12), None, "mismatch"),
        ({"a": tensor(0, 12, [-2, -3])}, bytes(12), None, "mismatch"),
        ({"a": tensor(0, 12, [2, 3], "F17")}, bytes(12), None, "mismatch"),
        ({"a": tensor(0, 12, [2.0, 3])}, bytes(12), None, "mismatch"),  # type: ignore[list-item]
        ({"a": tensor(0, 4, [2]), "b": tensor(2, 6, [2])}, bytes(6), None, "mismatch"),
        ({"a": tensor(0, 4, [2]), "b": tensor(6, 10, [2])}, bytes(10), None, "mismatch"),
        ({"a": tensor(0, 0, [2**62, 2**62, 0])}, b"", None, None),
        ({"a": tensor(0, 0, [0] * 17)}, b"", None, "mismatch"),
    ],
)
def test_a_header_that_lies_is_named(
    header: object, data: bytes, length: int | None, reason: str | None, tmp_path: Path
) -> None:
    file = written(tmp_path, header, data, length)
    if reason is None:
        assert read_header(file)
        return
    with pytest.raises(ModelDamaged) as caught:
        read_header(file)
    assert caught.value == ModelDamaged(str(file), reason)


def test_too_many_tensors_are_refused(tmp_path: Path) -> None:
    entries = {str(i): tensor(0, 0, [0]) for i in range(MAX_TENSORS + 1)}
    with pytest.raises(ModelDamaged, match="not safetensors"):
        read_header(written(tmp_path, entries))


@given(garbage=st.binary(max_size=200), flip=st.integers(0, 10_000))
def test_no_bytes_raise_anything_but_damage(
    garbage: bytes, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    entries = {"a": tensor(0, 12, [2, 3]), "b": tensor(12, 16, [1], "F32")}
    sound = bytearray(written(folder, entries, bytes(16)).read_bytes())
    sound[flip % len(sound)] ^= 1 + flip % 255
    for content in (garbage, bytes(sound), garbage + bytes(sound)):
        file = folder / "y.safetensors"
        file.write_bytes(content)
        try:
            read_header(file)
        except ModelDamaged:
            continue
