"""The torch engine: one task in, one picture out, on the thread that calls it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from app.core.adapter import of_kind
from app.core.card import Kind
from app.core.errors import BadResult, ModelDamaged, ModelMissing, NotFinite, RecipeProblem
from app.core.events import Cancelled, Decoding, Finished, Pixels, Task
from app.core.model import Family, Model
from app.core.placement import Placement
from app.core.recipe import Recipe
from app.engine.contract import IsCancelled, Report
from app.engine.guards import check_pixels
from app.engine.previews import Previewer, matrix_for
from app.engine.start_pictures import OpenedStart, keep_unmasked, open_start
from app.engine.torch import autoencoding, inpainting
from app.engine.torch.changes import Changes, changes_of
from app.engine.torch.denoising import Denoiser, OnStep
from app.engine.torch.embeddings import spoken
from app.engine.torch.failures import typed
from app.engine.torch.families import Embeds, encode, pipelines_of
from app.engine.torch.networks import Memory, Networks, folder_stamp
from app.engine.torch.placement import device_of, free_memory, placements
from app.engine.torch.tiny_previews import TINY_CHANNELS, TinyPreviewer, load_tiny
from app.engine.watch import Stopped, Watch

PROMPTS_KEPT = 16


class TorchEngine:
    """diffusers pipelines on MPS, CUDA or the CPU. See ``app.engine.contract.Engine``.

    ``memory``: "resident" keeps all networks loaded, "staged" only the one at work, "auto" decides
    by what is free. ``dtype`` overrides what the placement would compute with. ``clock`` gives
    monotonic seconds.
    """

    def __init__(
        self,
        memory: Memory = "auto",
        dtype: torch.dtype | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _quiet()
        pipelines_of(Family.SD1)  # imported now, not between the wish for a picture and its start
        self._memory: Memory = memory
        self._dtype = dtype
        self._clock = clock
        self._networks: Networks | None = None
        self._key: tuple[object, ...] = ()
        self._denoiser: Denoiser | None = None
        self._embeds: OrderedDict[tuple[object, ...], Embeds] = OrderedDict()
        self._previewing: tuple[object, Any] | None = None
        self._closed = False

    def placements(self) -> tuple[Placement, ...]:
        return placements()

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        if self._closed:
            raise RuntimeError("the engine is closed")
        watch = Watch(task.job, report, cancelled)
        try:
            with torch.inference_mode():
                return self._draw(task, watch)
        except Stopped:
            return Cancelled(task.job)
        except NotFinite as error:
            raise self._named(error) from error
        except Exception as error:
            device = self._networks.device if self._networks else torch.device("cpu")
            known = typed(error, free_memory(device))
            if not isinstance(known, BadResult | RecipeProblem):
                self._forget()
            raise known from (None if known is error else error)

    def warm(self, model: Model, placement: Placement, cancelled: IsCancelled) -> None:
        """Read ``model``'s networks ahead of a draw, where all of them may stay in memory.

        Stops between two of them once ``cancelled``. Raises what ``draw`` would.
        """
        watch = Watch("", lambda _: None, cancelled)
        try:
            with torch.inference_mode():
                networks = self._home(model, placement)
                if not networks.staged:
                    networks.text_parts(watch)
                    self._ready(networks, watch)
                    networks.vae(watch)
        except Stopped:
            return
        except Exception as error:
            self._forget()
            raise typed(error, free_memory(device_of(placement))) from error

    def close(self) -> None:
        self._closed = True
        self._forget()

    def _draw(self, task: Task, watch: Watch) -> Finished:
        recipe = task.recipe
        watch.check()
        # 1. What the recipe starts from, and the networks' home
        changes = changes_of(recipe, task.model)
        opened = open_start(recipe.start, recipe.size) if recipe.start else None
        networks = self._home(task.model, task.placement)
        if networks.change(changes) or networks.staged:
            self._denoiser = None
        generator = torch.Generator("cpu").manual_seed(recipe.seed)
        # 2. Prompt
        embeds = self._understand(recipe, changes, networks, watch)
        # 3. Starting picture, and what is to be drawn of it
        start = beside = None
        if opened is not None:
            latents = autoencoding.encode(networks.vae(watch), opened.picture, generator)
            start = (latents, opened.mask)
        if networks.inpaints:
            vae = networks.vae(watch)
            beside = inpainting.told(vae, opened, recipe.size, networks.factor, generator)
            del vae
        # 4. Denoise
        denoiser = self._ready(networks, watch)
        previewer = self._previewer(task, networks) if task.previews else None
        watch.check()
        began = self._clock()
        latents = denoiser.run(
            recipe,
            embeds,
            networks.scheduler_config,
            networks.channels,
            start,
            generator,
            OnStep(watch, previewer),
            beside,
        )
        # 5. Decode
        del denoiser
        pixels = self._decode(latents, networks, opened, watch)
        watch.check()
        return Finished(task.job, pixels, task.placement, self._clock() - began)

    def _home(self, model: Model, placement: Placement) -> Networks:
        """The networks of that model and placement; those of another model go."""
        device = device_of(placement)
        folder = Path(model.folder)
        if not folder.is_absolute() or not folder.is_dir():
            raise ModelMissing(model.folder)
        key = (model.folder, model.family, placement, folder_stamp(folder))
        if self._networks is None or key != self._key:
            self._forget()
            self._networks = Networks(model, device, self._memory, self._dtype)
            self._key = key
        return self._networks

    def _understand(
        self, recipe: Recipe, changes: Changes, networks: Networks, watch: Watch
    ) -> Embeds:
        """The prompt's embeddings, from the cache when it was drawn before."""
        guided = recipe.guidance > 1
        said = (recipe.prompt, recipe.negative_prompt if guided else "", guided)
        key = (*said, *changes.of_text())
        if key in self._embeds:
            self._embeds.move_to_end(key)
            return self._embeds[key]
        parts = networks.text_parts(watch)
        with spoken(parts, changes.embeddings) as knowing:
            embeds = encode(networks.pipelines, knowing, *said)
        if not embeds.all_finite():
            raise NotFinite("prompt")
        self._embeds[key] = embeds
        if len(self._embeds) > PROMPTS_KEPT:
            self._embeds.popitem(last=False)
        return embeds

    def _ready(self, networks: Networks, watch: Watch) -> Denoiser:
        unet = networks.unet(watch)
        if self._denoiser is None or not self._denoiser.around(unet):
            self._denoiser = Denoiser(networks.pipelines, unet, networks.factor)
        return self._denoiser

    def _previewer(self, task: Task, networks: Networks) -> Previewer:
        colours = matrix_for(Path(task.model.folder), networks.family, networks.channels)
        tiny = self._tiny(task.model, networks)
        if tiny is None:
            return Previewer(colours, self._clock)
        return TinyPreviewer(tiny, colours, self._clock)

    def _tiny(self, model: Model, networks: Networks) -> Any:
        """The tiny autoencoder for previews, where one is installed, fits and is sound."""
        for adapter in of_kind(model.adapters, Kind.PREVIEWER):
            if adapter.fits(networks.family) and networks.channels == TINY_CHANNELS:
                key = (adapter, networks.device)
                if self._previewing is None or self._previewing[0] != key:
                    self._previewing = (key, load_tiny(Path(adapter.path), networks.device))
                return self._previewing[1]
        return None

    def _decode(
        self, latents: torch.Tensor, networks: Networks, opened: OpenedStart | None, watch: Watch
    ) -> Pixels:
        watch.report(Decoding(watch.job))
        if networks.staged:
            self._denoiser = None
        pixels = autoencoding.decode(networks.vae(watch), latents)
        check_pixels(pixels)
        return keep_unmasked(pixels, opened) if opened is not None else pixels

    def _named(self, error: NotFinite) -> NotFinite | ModelDamaged:
        """``error``, or the damaged weight file that explains it; the networks go either way."""
        damaged = self._networks.find_damage() if self._networks else None
        self._forget()
        return ModelDamaged(str(damaged), "not finite") if damaged else error

    def _forget(self) -> None:
        self._denoiser = None
        self._embeds.clear()
        if self._networks is not None:
            self._networks.free()
        self._networks = None
        self._previewing = None
        self._key = ()


def _quiet() -> None:
    """The libraries' advice and bars are for their developers; errors still come as exceptions.

    A tqdm bar, even a disabled one, starts a thread to watch over it unless told not to, and makes
    a semaphore that outlives a killed process unless given a lock.
    """
    import diffusers.utils.logging as diffusers_logging
    from tqdm import tqdm  # type: ignore[import-untyped]
    from transformers.utils import logging as transformers_logging

    libraries: tuple[Any, ...] = (diffusers_logging, transformers_logging)
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())
