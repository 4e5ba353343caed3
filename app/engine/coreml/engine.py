"""The Core ML engine: one task in, one picture out, on the thread that calls it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.core.adapter import of_kind, pieces
from app.core.card import Kind
from app.core.coreml_manifest import CoreMLManifest
from app.core.errors import (
    Bug,
    EaselError,
    ModelDamaged,
    OutOfMemory,
    PlacementUnavailable,
    RecipeProblem,
)
from app.core.events import Cancelled, Decoding, Finished, Pixels, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe
from app.engine.contract import IsCancelled, Report
from app.engine.coreml import autoencoding
from app.engine.coreml.denoising import Start, Unet, denoise
from app.engine.coreml.model import TEXT_ENCODERS, check_parts, read_manifest
from app.engine.coreml.networks import UNITS, Networks
from app.engine.coreml.noise import Noise
from app.engine.coreml.prompt import Encoded, Prompts
from app.engine.coreml.runtime import Array, Runtime
from app.engine.coreml.schedulers import Solver, make_solver
from app.engine.guards import check_pixels
from app.engine.previews import Previewer, matrix_for
from app.engine.start_pictures import OpenedStart, keep_unmasked, open_start
from app.engine.watch import Stopped, Watch

NO_EMBEDDINGS = "no embedding"
"""What ``RecipeProblem.allowed`` says of a prompt with the word of one."""

ReadManifest = Callable[[Path], CoreMLManifest]
"""Says what a folder holds. Raises ModelError."""


class CoreMLEngine:
    """Core ML models through ``runtime``. See ``app.engine.contract.Engine``.

    ``placements`` are those of Core ML and the CPU that work here, best first. ``staged``: keep
    only the network at work in memory. ``manifest_of`` reads a folder. ``clock`` gives monotonic
    seconds.
    """

    def __init__(
        self,
        runtime: Runtime,
        placements: tuple[Placement, ...],
        *,
        staged: bool = False,
        manifest_of: ReadManifest = read_manifest,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._placements = tuple(one for one in placements if one in UNITS)
        self._staged = staged
        self._manifest_of = manifest_of
        self._clock = clock
        self._networks: Networks | None = None
        self._prompts: Prompts | None = None
        self._key: tuple[object, ...] = ()
        self._closed = False

    def placements(self) -> tuple[Placement, ...]:
        return self._placements

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        if self._closed:
            raise RuntimeError("the engine is closed")
        watch = Watch(task.job, report, cancelled)
        try:
            with np.errstate(all="ignore"):  # the guards look at what comes out
                return self._draw(task, watch)
        except Stopped:
            return Cancelled(task.job)
        except Exception as error:
            raise self._typed(error) from error

    def warm(self, model: Model, placement: Placement, cancelled: IsCancelled) -> None:
        """Open ``model``'s networks ahead of a draw, where all of them may stay open.

        Stops between two of them once ``cancelled``. Raises what ``draw`` would.
        """
        watch = Watch("", lambda _: None, cancelled)
        try:
            networks, _ = self._home(model, placement)
            if not self._staged:
                networks.text_encoders(watch)
                networks.unet(model.limits.native, 2, watch)
                networks.decoder(model.limits.native, watch)
        except Stopped:
            return
        except Exception as error:
            raise self._typed(error) from error

    def close(self) -> None:
        self._closed = True
        self._forget()

    def _draw(self, task: Task, watch: Watch) -> Finished:
        recipe = task.recipe
        watch.check()
        # 1. What the recipe starts from, and the networks' home
        if recipe.loras:
            raise RecipeProblem("loras", recipe.loras[0].id, "a model that can do this")
        _check_words(recipe, task.model)
        opened = open_start(recipe.start, recipe.size) if recipe.start else None
        networks, prompts = self._home(task.model, task.placement)
        networks.check(recipe.size)
        solver = _solver(recipe, networks.manifest, task.model)
        noise = Noise(recipe.seed)
        # 2. Prompt
        sides = _encode(recipe, networks, prompts, watch)
        # 3. Starting picture
        start = _start(opened, recipe, networks, noise, watch)
        # 4. Denoise
        manifest, size = networks.manifest, recipe.size
        network = networks.unet(size, len(sides), watch)
        unet = Unet(network, sides, recipe.guidance, size, manifest.time_cond_dim)
        side = manifest.factor
        shape = (1, manifest.latent_channels, size.height // side, size.width // side)
        previewer = self._previewer(task, manifest) if task.previews else None
        began = self._clock()
        latents = denoise(recipe, unet, solver, start, shape, noise, watch, previewer)
        # 5. Decode
        pixels = _decode(latents, opened, recipe, networks, watch)
        watch.check()
        return Finished(task.job, pixels, task.placement, self._clock() - began)

    def _home(self, model: Model, placement: Placement) -> tuple[Networks, Prompts]:
        """The networks of that model and placement; those of another model are closed."""
        if placement not in self._placements:
            raise PlacementUnavailable(placement.value, "not on this machine")
        folder = Path(model.folder)
        manifest = self._manifest_of(folder)
        key = (model.folder, placement, manifest, _stamps(folder, manifest))
        if self._networks is None or self._prompts is None or key != self._key:
            self._forget()
            check_parts(folder, manifest)
            self._networks = Networks(self._runtime, folder, manifest, placement, self._staged)
            self._prompts = Prompts(folder, TEXT_ENCODERS[manifest.family])
            self._key = key
        return self._networks, self._prompts

    def _previewer(self, task: Task, manifest: CoreMLManifest) -> Previewer:
        folder = Path(task.model.folder)
        colours = matrix_for(folder, manifest.family, manifest.latent_channels)
        return Previewer(colours, self._clock)

    def _typed(self, error: Exception) -> EaselError:
        """``error`` as one of ours; after what may be the networks' fault they are closed."""
        if isinstance(error, RecipeProblem):
            return error
        self._forget()
        if isinstance(error, EaselError):
            return error
        return OutOfMemory() if isinstance(error, MemoryError) else Bug.of(error)

    def _forget(self) -> None:
        networks, self._networks, self._prompts, self._key = self._networks, None, None, ()
        if networks is not None:
            networks.free()


def _check_words(recipe: Recipe, model: Model) -> None:
    """Raise RecipeProblem for a word of an embedding: its vectors have no way into the encoder."""
    embeddings = of_kind(model.adapters, Kind.EMBEDDING)
    guided = recipe.guidance > 1
    for field, text in (
        ("prompt", recipe.prompt),
        ("negative_prompt", recipe.negative_prompt if guided else ""),
    ):
        for piece in pieces(text, embeddings):
            if piece.embedding is not None:
                raise RecipeProblem(field, piece.text[:80], NO_EMBEDDINGS)


def _solver(recipe: Recipe, manifest: CoreMLManifest, model: Model) -> Solver:
    try:
        return make_solver(recipe.scheduler, manifest.scheduler, recipe.steps)
    except (ValueError, TypeError) as error:
        raise ModelDamaged(model.folder, "mismatch") from error


def _encode(
    recipe: Recipe, networks: Networks, prompts: Prompts, watch: Watch
) -> tuple[Encoded, ...]:
    """(positive,), or (negative, positive) where the recipe is guided and the model is not told."""
    guided = recipe.guidance > 1 and not networks.manifest.time_cond_dim
    two = len(TEXT_ENCODERS[networks.manifest.family]) == 2
    nothing = two and not recipe.negative_prompt
    wanted = [recipe.prompt]
    if guided and not nothing:
        wanted.insert(0, recipe.negative_prompt)
    encoders = () if prompts.known(*wanted) else networks.text_encoders(watch)
    sides = tuple(prompts.encoded(text, encoders) for text in wanted)
    return (sides[0].nothing(), *sides) if guided and nothing else sides


def _start(
    opened: OpenedStart | None, recipe: Recipe, networks: Networks, noise: Noise, watch: Watch
) -> Start | None:
    if opened is None:
        return None
    encoder = networks.encoder(recipe.size, watch)
    latents = autoencoding.encode(encoder, networks.manifest, opened.picture, noise)
    return Start(latents, opened.mask)


def _decode(
    latents: Array, opened: OpenedStart | None, recipe: Recipe, networks: Networks, watch: Watch
) -> Pixels:
    watch.report(Decoding(watch.job))
    pixels = autoencoding.decode(networks.decoder(recipe.size, watch), networks.manifest, latents)
    check_pixels(pixels)
    return keep_unmasked(pixels, opened) if opened is not None else pixels


def _stamps(folder: Path, manifest: CoreMLManifest) -> tuple[int, ...]:
    """Change when a model of the folder is replaced."""
    places = [folder / spec.file for spec in manifest.parts.values()]
    return tuple(place.stat().st_mtime_ns for place in places if place.exists())
