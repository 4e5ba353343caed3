"""Easel's torch engine in this process, as its child has it. The counterpart of stock_picture.py.

    python easel_engine.py FOLDER --side 512 --steps 20 --pictures 3 --out RESULT

Writes the same numbers as the stock script, from the same kind of places: ``load`` (the call to
the first UNet forward, text encoder left out), ``cold``, ``warm``, ``forward``, ``between``
(everything else between two UNet forwards: guidance, scheduler, progress, the pipe) and ``peak``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.bench.watch import Watch, peak, write
from app.core.events import Finished, Task
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.contract import Engine
from app.engine.model_folder import read_model

CLOCK = time.process_time


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    # 1. import
    engine = make_engine(asked)
    import torch
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    imported = CLOCK()
    torch.set_num_threads(1)
    unet, text = Watch(UNet2DConditionModel), Watch(CLIPTextModel)

    # 2. the first picture, with everything that is loaded for it
    model = read_model(Path(asked.folder).absolute())
    began = CLOCK()
    with Wire() as wire:

        def draw(prompt: str, seed: int) -> Finished:
            task = Task(
                f"{seed}",
                recipe(asked, prompt, seed, model.id),
                model,
                placement(engine),
                asked.previews,
            )
            ending = engine.draw(task, wire.send, lambda: False)
            if not isinstance(ending, Finished):
                raise SystemExit(f"not finished: {ending}")
            wire.send(ending)
            return ending

        draw(asked.prompt, 0)
        cold = CLOCK()
        load = unet.spans[0][0] - began - text.spent()

        # 3. more of them
        warm: list[float] = []
        forwards: list[float] = []
        between: list[float] = []
        for number in range(1, asked.pictures):
            unet.spans.clear()
            start = CLOCK()
            draw(f"{asked.prompt} {number}", number)
            warm.append(CLOCK() - start)
            forwards += unet.forwards()
            between += unet.between()
    engine.close()

    numbers = {"import": imported, "load": load, "cold": cold, "peak": peak()}
    if warm:
        numbers["warm"] = statistics.median(warm)
    if between:
        numbers |= {"forward": statistics.median(forwards), "between": statistics.median(between)}
    write(asked.out, numbers, {"dtype": unet.dtype, "channels_last": str(unet.channels_last)})
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--pictures", type=int, default=1)
    parser.add_argument("--prompt", default="a red apple")
    parser.add_argument("--previews", action="store_true")
    parser.add_argument("--dtype", help="instead of what Easel would choose here")
    parser.add_argument("--staged", action="store_true", help="as when memory is short")
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def make_engine(asked: argparse.Namespace) -> Engine:
    """The engine the child makes; of other memory or dtype only where that is asked for."""
    from app.engine.torch.engine import TorchEngine

    if not asked.staged and not asked.dtype:
        return TorchEngine()
    import torch

    dtype = getattr(torch, asked.dtype) if asked.dtype else None
    return TorchEngine(memory="staged" if asked.staged else "auto", dtype=dtype)


def placement(engine: Engine) -> Placement:
    """The one Easel would choose."""
    return engine.placements()[0]


def recipe(asked: argparse.Namespace, prompt: str, seed: int, model: str) -> Recipe:
    """DPM++ 2M Karras, as the stock script has it."""
    return Recipe(
        prompt=prompt,
        model=model,
        size=Size(asked.side, asked.side),
        steps=asked.steps,
        guidance=asked.guidance,
        seed=seed,
        scheduler=Scheduler.DPMPP_2M_KARRAS,
    )


class Wire:
    """A pipe whose far end is read and thrown away: what sending progress costs the child."""

    def __enter__(self) -> Wire:
        self._far, self._near = Pipe(duplex=False)
        self._reader = threading.Thread(target=drain, args=(self._far,))
        self._reader.start()
        return self

    def send(self, event: Any) -> None:
        """Send ``event`` as the child does."""
        self._near.send(event)

    def __exit__(self, *_: object) -> None:
        self._near.close()
        self._reader.join()
        self._far.close()


def drain(connection: Connection) -> None:
    """Read until the other end is closed."""
    try:
        while True:
            connection.recv_bytes()
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
