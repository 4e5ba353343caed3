"""What macOS says of a Mac is read as it says it."""

from __future__ import annotations

import sys

import pytest

from app.core.mac import Mac
from app.engine.coreml.this_mac import ask_ioreg, read_mac, this_mac

IOREG = b'+-o AGXAcceleratorG13X\n    | "IOClass" = "AGX"\n    | "gpu-core-count" = 16\n'
SAID = {
    "machdep.cpu.brand_string": b"Apple M1 Pro\0",
    "hw.perflevel0.physicalcpu": (8).to_bytes(4, "little"),
    "hw.memsize": (16 * 2**30).to_bytes(8, "little"),
    "kern.osversion": b"24B83\0",
    "hw.optional.arm64": (1).to_bytes(4, "little"),
}


def test_a_pro() -> None:
    expected = Mac("Apple M1 Pro", 8, 16, 16 * 2**30, (15, 1), "24B83")
    assert read_mac(SAID.get, lambda: IOREG, "15.1.1") == expected


@pytest.mark.parametrize("version", ["15", "15.0"])
def test_a_system_without_a_minor(version: str) -> None:
    assert read_mac(SAID.get, lambda: b"", version).macos == (15, 0)


def test_an_intel_mac_says_nothing_of_what_it_has_not() -> None:
    expected = Mac("", 0, 0, 0, (0, 0), "", apple_silicon=False)
    assert read_mac(lambda _: None, lambda: b"nothing here", "") == expected


@pytest.mark.skipif(sys.platform == "darwin", reason="there is one")
def test_elsewhere_there_is_no_mac() -> None:
    assert this_mac() is None
    assert ask_ioreg() == b""
