"""``easel convert``: a model becomes a folder of Core ML packages."""

from __future__ import annotations

import argparse
import math
import os
import threading
from dataclasses import replace
from pathlib import Path

from app.cli.arguments import UsageError
from app.cli.main import DONE
from app.cli.program import Program
from app.cli.stopping import on_stop
from app.cli.terminal import Terminal, duration
from app.convert.coreml.converting import ConversionOptions, Converting, Lora, Mode
from app.convert.coreml.verifying import Compared
from app.core.coreml_manifest import Attention
from app.core.errors import ModelError
from app.core.recipe import Size
from app.jobs import converting
from app.messages import shown, size_text


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Convert ``asked.model``, and verify it where that was asked. Returns the exit code."""
    # 1. What, how and where
    options = _options(asked)
    folder, options, target = _places(asked, options, program)
    if os.path.lexists(target):
        raise UsageError(
            f"There is something in {target} already. Take it away, or name another folder with "
            "--output."
        )
    # 2. The conversion, in a child
    stop = threading.Event()
    teller = _Teller(terminal)
    with on_stop(stop.set):
        terminal.note(f"Converting {shown(options.title)} to Core ML.")
        manifest = converting.convert(folder, target, options, teller.tell, stop.is_set)
        if manifest is None:
            raise KeyboardInterrupt
        taken = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
        _say_converted(target, taken, terminal)
        # 3. Proof
        if asked.verify:
            terminal.note("Running the packages, to compare their answers.")
            if converting.verify(target, teller.tell, stop.is_set) is None:
                raise KeyboardInterrupt
    return DONE


def _options(asked: argparse.Namespace) -> ConversionOptions:
    """Raises UsageError."""
    base = ConversionOptions.for_gpu() if asked.runs == "gpu" else ConversionOptions()
    loras = tuple(_lora(text) for text in asked.lora)
    if asked.fast and not loras:
        raise UsageError("--fast needs an LCM-LoRA: name its file with --lora.")
    return replace(
        base,
        bits=int(asked.bits or base.bits),
        mode=Mode(asked.palette),
        attention=Attention(asked.attention or base.attention),
        sizes=tuple(_size(text) for text in asked.size),
        batches=tuple(int(text) for text in asked.batch) or base.batches,
        loras=loras,
        fast=asked.fast,
        residuals=asked.controlnet,
    )


def _places(
    asked: argparse.Namespace, options: ConversionOptions, program: Program
) -> tuple[Path, ConversionOptions, Path]:
    """The model's folder, the options with its title and licence, and the new folder."""
    output = Path(asked.output).expanduser().absolute() if asked.output else None
    given = Path(asked.model).expanduser().absolute()
    known = {model.id: model for model in program.models()}.get(asked.model)
    if known is None and given.is_dir():
        if output is None:
            raise UsageError("A model that is given by its folder needs --output FOLDER.")
        return given, replace(options, title=given.name), output
    model = known or program.model(asked.model)
    options = replace(options, title=model.title, licence=_licence(model.id, program))
    usual = converting.converted_folder(program.folders.installed, model.id, options)
    return Path(model.folder), options, output or usual


def _licence(id: str, program: Program) -> str:
    """What the installed model ``id`` came under; "" where nobody was asked to accept anything."""
    try:
        acceptance = program.shelf.find(id).receipt.acceptance
    except ModelError:
        return ""
    return acceptance.licence if acceptance else ""


def _size(text: str) -> Size:
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise UsageError(f"“{text}” is no size. Write it as in 512x768.")
    return Size(int(width[:6]), int(height[:6]))


def _lora(text: str) -> Lora:
    """A file and, after the last colon, how strongly. A colon in a file's name is no weight."""
    name, colon, weight = text.rpartition(":")
    file, amount = text, 1.0
    if colon and not Path(text).is_file():
        try:
            file, amount = name, float(weight)
        except ValueError:
            raise UsageError(f"“{weight}” is no weight of a LoRA. Write it as in 0.8.") from None
    if not math.isfinite(amount) or abs(amount) > 10:
        raise UsageError("A LoRA's weight is a number between -10 and 10.")
    place = Path(file).expanduser().absolute()
    if not place.is_file():
        raise UsageError(f"There is no file {place}. Check the name after --lora.")
    return Lora(str(place), amount)


def _say_converted(target: Path, taken: int, terminal: Terminal) -> None:
    if terminal.as_json:
        terminal.event("converted", folder=str(target), bytes=taken)
    else:
        terminal.result(str(target))
    terminal.note(f"It takes {size_text(taken)}.")


class _Teller:
    """Turns events into the line that moves, and into JSON."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def tell(self, event: object) -> None:
        match event:
            case Converting(stage, part, done, total, elapsed, left):
                bar = self._terminal.bar(done / total)
                what = f"{stage.value} {part.replace('_', ' ')}".strip()
                time = f"{duration(elapsed)}, about {duration(left)} left"
                self._terminal.status(f"{bar} {time}  {what}")
                self._terminal.event(
                    "converting",
                    stage=stage.value,
                    part=part,
                    done=round(done / total, 4),
                    elapsed=round(elapsed, 1),
                    left=round(left, 1),
                )
            case Compared(part, output, psnr, cosine):
                self._terminal.note(
                    f"{part.replace('_', ' ')}, {output}: {psnr:.1f} dB, cosine {cosine:.6f}."
                )
                finite = psnr if math.isfinite(psnr) else None
                self._terminal.event(
                    "compared", part=part, output=output, psnr=finite, cosine=cosine
                )
