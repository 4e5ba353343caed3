"""What anyone would write with diffusers alone: import, from_pretrained, call, save.

    PYTHONPATH=. python app/bench/peers/stock_picture.py FOLDER --side 512 --out RESULT

Only the public interface of diffusers and torch, on the same weights, in the same dtype, with the
same scheduler and steps as Easel's side. Writes CPU seconds of this process: ``cold`` (launch to
the first picture on disk), ``load`` (the call to the first UNet forward, text encoder left out),
``warm`` (one picture once all is loaded), ``warm_saved`` (with its PNG), ``forward`` (one UNet
forward), ``between`` (everything else between two of them), and ``peak`` (bytes).
"""

# mypy: disable-error-code="no-untyped-call,attr-defined"

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.bench.watch import Watch, peak, write

CLOCK = time.process_time


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    # 1. import
    import torch
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    imported = CLOCK()
    torch.set_num_threads(1)
    unet, text = watch_networks()

    # 2. load
    began = CLOCK()
    pipeline = StableDiffusionPipeline.from_pretrained(
        asked.folder, dtype=getattr(torch, asked.dtype), local_files_only=True
    )
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, use_karras_sigmas=True
    )
    pipeline.set_progress_bar_config(disable=True)

    def draw(prompt: str, seed: int) -> Any:
        return pipeline(
            prompt,
            num_inference_steps=asked.steps,
            guidance_scale=asked.guidance,
            width=asked.side,
            height=asked.side,
            generator=torch.Generator("cpu").manual_seed(seed),
        ).images[0]

    # 3. the first picture, on disk
    folder = Path(tempfile.mkdtemp(dir=os.path.dirname(asked.out)))  # noqa: PTH120
    draw(asked.prompt, 0).save(folder / "0.png")
    cold = CLOCK()
    load = unet.spans[0][0] - began - text.spent()

    # 4. more of them, once all is warm
    warm, saved, forwards, between = [], [], [], []
    for number in range(1, asked.pictures):
        unet.spans.clear()
        start = CLOCK()
        picture = draw(f"{asked.prompt} {number}", number)
        warm.append(CLOCK() - start)
        picture.save(folder / f"{number}.png")
        saved.append(CLOCK() - start)
        forwards += unet.forwards()
        between += unet.between()

    numbers = {"import": imported, "load": load, "cold": cold, "peak": peak()}
    if warm:
        numbers |= {"warm": statistics.median(warm), "warm_saved": statistics.median(saved)}
    if between:
        numbers |= {"forward": statistics.median(forwards), "between": statistics.median(between)}
    write(asked.out, numbers, {"dtype": unet.dtype, "channels_last": str(unet.channels_last)})
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--pictures", type=int, default=1)
    parser.add_argument("--prompt", default="a red apple")
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def watch_networks() -> tuple[Watch, Watch]:
    """Watches on the UNet and the text encoder."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    return Watch(UNet2DConditionModel), Watch(CLIPTextModel)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
