"""The weight file: what is written comes back, and no lie about it is believed."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.convert.mil.bits import as_signed, packed_size, unpack
from app.convert.mil.blob import WeightFile
from app.convert.mil.element_types import BY_NAME
from app.core.errors import ModelDamaged, ModelIncomplete

SENTINEL = 0xDEADBEEF


def blob(
    data: bytes = b"",
    *,
    kind: int = 2,
    version: int = 2,
    sentinel: int = SENTINEL,
    size: int | None = None,
    start: int = 128,
    unused: int = 0,
) -> bytes:
    """A weight file of one constant, whose metadata is at 64."""
    size = len(data) if size is None else size
    head = struct.pack("<II56x", 1, version)
    return head + struct.pack("<IIQQQ32x", sentinel, kind, size, start, unused) + data


def weights(folder: Path, content: bytes) -> WeightFile:
    file = folder / "weight.bin"
    file.write_bytes(content)
    return WeightFile(file)


def reason(folder: Path, content: bytes, offset: int = 64, count: int = 4) -> str:
    with pytest.raises(ModelDamaged) as caught:
        weights(folder, content).find(offset, BY_NAME["float32"], (count,))
    assert caught.value.file == str(folder / "weight.bin")
    return caught.value.reason


FOUR = np.arange(4, dtype=np.float32).tobytes()


def test_numbers_are_a_view_of_the_file(tmp_path: Path) -> None:
    stored = weights(tmp_path, blob(FOUR)).find(64, BY_NAME["float32"], (2, 2))

    assert torch.equal(stored.read(), torch.tensor([[0.0, 1.0], [2.0, 3.0]]))
    assert stored.read().data_ptr() == stored.read().data_ptr()
    assert stored.elements == 4


def test_nobody_can_change_the_file_through_what_is_read(tmp_path: Path) -> None:
    weights(tmp_path, blob(FOUR)).find(64, BY_NAME["float32"], (4,)).read()[0] = 9

    assert (tmp_path / "weight.bin").read_bytes() == blob(FOUR)


def test_a_constant_of_no_elements(tmp_path: Path) -> None:
    stored = weights(tmp_path, blob()).find(64, BY_NAME["float32"], (0, 3))

    assert stored.read().shape == (0, 3)


@pytest.mark.parametrize(
    ("name", "numpy"),
    [
        ("float16", "<f2"),
        ("int8", "i1"),
        ("uint8", "u1"),
        ("int16", "<i2"),
        ("uint16", "<u2"),
        ("int32", "<i4"),
        ("uint32", "<u4"),
    ],
)
def test_types_of_whole_bytes(tmp_path: Path, name: str, numpy: str) -> None:
    written = np.array([0, 1, 5, 100]).astype(numpy)
    element = BY_NAME[name]
    stored = weights(tmp_path, blob(written.tobytes(), kind=element.blob or 0)).find(
        64, element, (4,)
    )

    assert stored.read().dtype == element.torch
    assert stored.read().tolist() == [0, 1, 5, 100]


def test_bfloat16(tmp_path: Path) -> None:
    written = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    raw = written.view(torch.int16).numpy().tobytes()
    stored = weights(tmp_path, blob(raw, kind=5)).find(64, BY_NAME["bfloat16"], (2,))

    assert torch.equal(stored.read(), written)


@pytest.mark.parametrize(
    ("content", "offset", "expected"),
    [
        (b"", 64, "truncated"),
        (blob(FOUR)[:63], 64, "truncated"),
        (blob(FOUR)[:100], 64, "truncated"),
        (blob(FOUR)[:-1], 64, "truncated"),
        (blob(FOUR), 128, "truncated"),
        (blob(FOUR), 1 << 62, "truncated"),
        (blob(FOUR), 0, "mismatch"),
        (blob(FOUR), 65, "mismatch"),
        (blob(FOUR + bytes(112)), 128, "mismatch"),
        (blob(FOUR, version=1), 64, "mismatch"),
        (blob(FOUR, version=3), 64, "mismatch"),
        (blob(FOUR, sentinel=0), 64, "mismatch"),
        (blob(FOUR, kind=1), 64, "mismatch"),
        (blob(FOUR, kind=99), 64, "mismatch"),
        (blob(FOUR, size=15), 64, "mismatch"),
        (blob(FOUR, size=1 << 63), 64, "mismatch"),
        (blob(FOUR, start=64), 64, "mismatch"),
        (blob(FOUR, start=0), 64, "mismatch"),
        (blob(FOUR, start=132), 64, "mismatch"),
        (blob(FOUR, start=1 << 40), 64, "truncated"),
        (blob(FOUR, start=(1 << 64) - 64), 64, "truncated"),
    ],
)
def test_a_lie_is_not_believed(tmp_path: Path, content: bytes, offset: int, expected: str) -> None:
    assert reason(tmp_path, content, offset) == expected


def test_a_type_that_no_weight_file_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged):
        weights(tmp_path, blob(FOUR)).find(64, BY_NAME["float64"], (2,))


def test_a_lie_about_the_padding_is_not_believed(tmp_path: Path) -> None:
    two_bytes = weights(tmp_path, blob(bytes(2), kind=12, unused=1))

    two_bytes.find(64, BY_NAME["uint3"], (5,))
    with pytest.raises(ModelDamaged):
        two_bytes.find(64, BY_NAME["uint3"], (4,))


@pytest.mark.parametrize("name", [".", "weight.bin"])
def test_no_file_is_said_to_be_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelIncomplete):
        WeightFile(tmp_path / name)


@given(st.sampled_from([1, 2, 3, 4, 6, 8]), st.lists(st.integers(0, 255), min_size=1, max_size=50))
def test_elements_of_a_few_bits(bits: int, values: list[int]) -> None:
    """Packed by arithmetic on one whole number: element k is worth 2 ** (k * bits)."""
    values = [value % (1 << bits) for value in values]
    whole = sum(value << (at * bits) for at, value in enumerate(values))
    packed = np.frombuffer(whole.to_bytes(packed_size(bits, len(values)), "little"), np.uint8)

    unpacked = unpack(packed, bits, len(values))

    assert unpacked.tolist() == values
    half = 1 << (bits - 1)
    signed = [value - 2 * half if value >= half else value for value in values]
    assert as_signed(unpacked, bits).tolist() == signed
