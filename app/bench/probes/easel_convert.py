"""Converts the UNet of a model folder to a Core ML package, and says what each stage took.

    python easel_convert.py FOLDER --bits 6 --out RESULT

Seconds are CPU time, sizes bytes. The package is written into a temporary folder. With --check it
is then executed, once in fp32 arithmetic and once with every result rounded to its type, and held
against torch in fp32: that takes some minutes at full size.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from app.bench.watch import peak, write
from app.convert.coreml import compress
from app.convert.coreml.converting import Mode
from app.convert.coreml.export import export_package
from app.convert.coreml.golden import write_golden
from app.convert.coreml.parts import Shape, factor_of, load_network
from app.convert.coreml.verifying import compare
from app.convert.folder import look_through
from app.core.coreml_manifest import Attention, Part
from app.core.recipe import Size

MODES: tuple[Literal["fp32", "typed"], ...] = ("fp32", "typed")


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    clock, numbers = Clock(), {}
    with tempfile.TemporaryDirectory(prefix="easel-convert-", dir=asked.work) as work:
        package = Path(work) / "Unet.mlpackage"
        # 1. The network, with its weights snapped where that is asked
        layout = look_through(Path(asked.folder))
        network = load_network(layout, Part.UNET, Attention(asked.attention))
        numbers["load"] = clock.lap()
        if asked.bits < 16:
            compress.snap(network.module, asked.bits, Mode.KMEANS, lambda _: None)
        numbers["snap"] = clock.lap()
        # 2. The package
        pixels = layout.configs["unet"]["sample_size"] * factor_of(layout.configs["vae"])
        shape = Shape(Size(pixels, pixels), 2)
        export_package(network, shape, 15 if asked.attention == "sdpa" else 14, package)
        numbers["export"] = clock.lap()
        golden = Path(work) / "unet.npz"
        if asked.check:
            write_golden(network, shape, golden)
        del network
        clock.lap()
        # 3. Its palettes
        if asked.bits < 16:
            stored = Path(work) / "stored.mlpackage"
            compress.store(package, asked.bits, stored)
            package = stored
        numbers["store"] = clock.lap()
        numbers["bytes"] = sum(f.stat().st_size for f in package.rglob("*") if f.is_file())
        numbers["peak"] = peak()
        # 4. Its answers
        if asked.check:
            for mode in MODES:
                (answer,) = compare(package, golden, Part.UNET, mode)
                numbers[f"psnr_{mode}"] = answer.psnr
    write(asked.out, numbers)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--bits", type=int, default=16)
    parser.add_argument("--attention", default="split_einsum")
    parser.add_argument("--work", help="where the temporary folder is made")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


class Clock:
    """CPU seconds since the last look, those of before the first one included."""

    def __init__(self) -> None:
        self._last = 0.0

    def lap(self) -> float:
        now = time.process_time()
        took, self._last = now - self._last, now
        return took


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
