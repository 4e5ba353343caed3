"""From packages to weights: `python -m models.training.train --work DIR`.

Each stage leaves its result in DIR and is skipped when that is there, so a stopped run goes on
where it was. `--stage` runs one stage alone.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTokenizer

from models.training import codec, drawings, packages, prototypes, scenes, tokens
from models.training.decoder import Art, DecoderPlan, DecoderTrainer, train_decoder
from models.training.diffusion import Nets, Plan, Trainer, train
from models.training.export import export
from models.training.networks import build_text_encoder, build_unet
from models.training.pool import Pool, fill
from models.training.refine import Redrawn, redraw

POOL = 60_000
IMAGES = 390_000
PICTURES = 46_000
REDRAWN = 4_096
REFINED = 20_000
STARTER = Path(__file__).parents[1] / "starter"


class Work:
    """The folder of a run: its packages and the files that the stages leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.packages = packages.fetch(folder)

    def wardrobe(self) -> scenes.Wardrobe:
        """Every look of the teacher's drawings."""
        return scenes.dress(drawings.render_nouns(self.packages, drawings.TEACHER))

    def code(self) -> codec.Code:
        """The fitted linear code."""
        return codec.Code.load(self.folder / "code.safetensors")

    def tokenizer(self) -> CLIPTokenizer:
        """The trimmed tokenizer."""
        tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(self.folder / "tokenizer")
        return tokenizer


def make_tokenizer(work: Work) -> None:
    """Trim CLIP's merges to the words needed."""
    words = tokens.common_words(work.packages["emojibase-data"])
    merges = tokens.read_merges(work.packages["open_clip_torch"])
    tokens.build(tokens.needed(merges, words), work.folder / "tokenizer")


def make_pool(work: Work) -> None:
    """Fit the code on 2,048 scenes, then paint and encode the pool."""
    wardrobe, draw = work.wardrobe(), random.Random(1)
    sample = [scenes.imagine(wardrobe, draw) for _ in range(2048)]
    code = codec.fit(scenes.paint(wardrobe, sample, draw))
    code.save(work.folder / "code.safetensors")
    fill(wardrobe, code, POOL, seed=2).save(work.folder / "pool.pt")


def train_diffusion(work: Work, images: int) -> None:
    """Train, or go on from the last checkpoint."""
    trainer = Trainer(work.tokenizer(), Plan(images=images))
    checkpoint = work.folder / "diffusion.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
    train(trainer, Pool.load(work.folder / "pool.pt"), checkpoint)


def train_the_decoder(work: Work, pictures: int) -> None:
    """Train, or go on from the last checkpoint, on the art of every set."""
    trainer = DecoderTrainer(work.code(), _all_art(work), DecoderPlan(pictures))
    checkpoint = work.folder / "decoder.pt"
    if checkpoint.exists():
        trainer.nets.resume(checkpoint)
    train_decoder(trainer, checkpoint)


def refine_the_decoder(work: Work, pictures: int, redrawn: int) -> None:
    """Let the UNet draw scenes again, and train the decoder on those too."""
    path = work.folder / "redrawn.safetensors"
    if not path.exists():
        write_folder(work, work.folder / "before")
        redraw(work.folder / "before", work.wardrobe(), redrawn).save(path)
    first, checkpoint = work.folder / "decoder.pt", work.folder / "refined.pt"
    start = int(torch.load(first, weights_only=True)["seen"])
    plan = DecoderPlan(pictures, start, rate=5e-4)
    trainer = DecoderTrainer(work.code(), _all_art(work), plan, seed=1)
    trainer.nets.resume(checkpoint if checkpoint.exists() else first)
    trainer.redrawn = Redrawn.load(path)
    train_decoder(trainer, checkpoint)


def _all_art(work: Work) -> Art:
    artists = (drawings.TEACHER, *drawings.WITNESSES)
    many = [drawings.render_many(work.packages, artist, 600) for artist in artists]
    others = scenes.premultiplied(np.concatenate(many)).half()
    return Art(work.wardrobe(), others)


def write_folder(work: Work, folder: Path) -> None:
    """Put the averaged weights of the last checkpoints into a pipeline's folder."""
    tokenizer = work.tokenizer()
    nets = Nets(build_text_encoder(tokenizer), build_unet())
    _load_average(nets, work.folder / "diffusion.pt")
    autoencoder = codec.build_autoencoder(work.code())
    refined = work.folder / "refined.pt"
    _load_average(autoencoder, refined if refined.exists() else work.folder / "decoder.pt")
    export(nets, autoencoder, tokenizer, work.code(), folder)


def _load_average(network: torch.nn.Module, checkpoint: Path) -> None:
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])


def make_prototypes(work: Work) -> None:
    """Write the judge's prototypes beside the judge."""
    prototypes.make(work.packages, Path(__file__).parent)
    (work.folder / "prototypes.done").touch()


STAGES: dict[str, Callable[[Work, argparse.Namespace], None]] = {
    "prototypes": lambda work, _: make_prototypes(work),
    "tokenizer": lambda work, _: make_tokenizer(work),
    "pool": lambda work, _: make_pool(work),
    "decoder": lambda work, asked: train_the_decoder(work, asked.pictures),
    "diffusion": lambda work, asked: train_diffusion(work, asked.images),
    "refine": lambda work, asked: refine_the_decoder(work, asked.refined, asked.redrawn),
    "export": lambda work, asked: write_folder(work, asked.out),
}
LEAVES = {"prototypes": "prototypes.done", "tokenizer": "tokenizer", "pool": "pool.pt"}
"""What a stage leaves; the other stages know themselves how far they are."""


def main() -> None:
    """Read the arguments and run the stages."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything made")
    parser.add_argument("--stage", choices=tuple(STAGES), help="run this one alone")
    parser.add_argument("--images", type=int, default=IMAGES, help="length of diffusion training")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="length of the decoder's")
    parser.add_argument("--redrawn", type=int, default=REDRAWN, help="scenes drawn again")
    parser.add_argument("--refined", type=int, default=REFINED, help="length of the second lesson")
    parser.add_argument("--out", type=Path, default=STARTER, help="where the pipeline goes")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    work = Work(asked.work)
    for name in [asked.stage] if asked.stage else STAGES:
        if name not in LEAVES or not (work.folder / LEAVES[name]).exists():
            print(f"stage {name}", flush=True)
            STAGES[name](work, asked)


if __name__ == "__main__":
    main()
