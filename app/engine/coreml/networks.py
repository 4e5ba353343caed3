"""The models of one folder at one placement: opened when asked for, kept or closed, here only.

Resident: each part stays open once it was. Staged: only the one at work is (text encoders, then
UNet, then autoencoder), for machines short of memory. Of each part one function is open at a time:
another size, or another batch, takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.core.coreml_manifest import CoreMLManifest, FunctionSpec, Part, PartSpec, Units
from app.core.errors import PlacementUnavailable, RecipeProblem
from app.core.placement import Placement
from app.core.recipe import Size
from app.engine.coreml.model import TEXT_ENCODERS, functions_for, limits_of_manifest
from app.engine.coreml.runtime import Model, Runtime
from app.engine.watch import Watch

UNITS: Mapping[Placement, Units] = {
    Placement.COREML_NEURAL_ENGINE: Units.CPU_AND_NEURAL_ENGINE,
    Placement.COREML_GPU: Units.CPU_AND_GPU,
    Placement.CPU: Units.CPU,
}


class Networks:
    """One folder's models. ``staged``: keep only the one at work open."""

    def __init__(
        self,
        runtime: Runtime,
        folder: Path,
        manifest: CoreMLManifest,
        placement: Placement,
        staged: bool,
    ) -> None:
        self.manifest = manifest
        self._runtime = runtime
        self._folder = folder
        self._placement = placement
        self._staged = staged
        self._open: dict[Part, tuple[str, Model]] = {}
        self._check_unet()

    def text_encoders(self, watch: Watch) -> tuple[Model, ...]:
        """The family's text encoders, in the order in which their answers are joined."""
        parts = TEXT_ENCODERS[self.manifest.family]
        self._make_room(*parts)
        return tuple(
            self._opened(part, self.manifest.parts[part].functions[0], watch) for part in parts
        )

    def unet(self, size: Size, batch: int, watch: Watch) -> Model:
        """The UNet at ``size`` that takes ``batch`` at a time where there is one, else any.

        Raises RecipeProblem("size") where there is none of that size.
        """
        self._make_room(Part.UNET)
        found = list(self._functions(Part.UNET, size))
        found.sort(key=lambda function: function.inputs[0].shape[0] != batch)
        return self._opened(Part.UNET, found[0], watch)

    def decoder(self, size: Size, watch: Watch) -> Model:
        """The autoencoder's half that makes pixels. Raises RecipeProblem("size")."""
        self._make_room(Part.VAE_DECODER)
        return self._opened(Part.VAE_DECODER, self._functions(Part.VAE_DECODER, size)[0], watch)

    def encoder(self, size: Size, watch: Watch) -> Model:
        """The autoencoder's half that makes latents.

        Raises RecipeProblem("start") where the model has none, RecipeProblem("size").
        """
        if Part.VAE_ENCODER not in self.manifest.parts:
            raise RecipeProblem("start", "", "a model that can do this")
        self._make_room(Part.VAE_ENCODER)
        return self._opened(Part.VAE_ENCODER, self._functions(Part.VAE_ENCODER, size)[0], watch)

    def check(self, size: Size) -> None:
        """Raise RecipeProblem where a picture of ``size`` cannot be drawn."""
        self._functions(Part.UNET, size)
        self._functions(Part.VAE_DECODER, size)

    def free(self) -> None:
        """Close everything."""
        self._close(*self._open)

    def _functions(self, part: Part, size: Size) -> list[FunctionSpec]:
        spec = self.manifest.parts[part]
        found = list(functions_for(spec, part, self.manifest.factor, size))
        if not found:
            allowed = limits_of_manifest(self.manifest, self._folder).sizes
            raise RecipeProblem("size", str(size), allowed)
        return found

    def _opened(self, part: Part, function: FunctionSpec, watch: Watch) -> Model:
        name, model = self._open.get(part, ("", None))
        if model is not None and name == function.name:
            return model
        self._close(part)
        watch.loading()
        spec = self.manifest.parts[part]
        units = units_of(part, spec, self._placement)
        model = self._runtime.open(self._folder / spec.file, units, function.name)
        self._open[part] = (function.name, model)
        watch.check()
        return model

    def _make_room(self, *wanted: Part) -> None:
        if self._staged:
            self._close(*(part for part in self._open if part not in wanted))

    def _close(self, *parts: Part) -> None:
        for part in list(parts):
            if part in self._open:
                self._open.pop(part)[1].close()

    def _check_unet(self) -> None:
        """A UNet that is not made for a unit may hang it or draw noise on it: not tried."""
        wanted, spec = UNITS[self._placement], self.manifest.parts[Part.UNET]
        if wanted is not Units.CPU and spec.units and wanted not in spec.units:
            raise PlacementUnavailable(self._placement.value, "the model is not made for it")


def units_of(part: Part, spec: PartSpec, placement: Placement) -> Units:
    """Where a part runs when the picture is drawn at ``placement``.

    Text encoders never run on the GPU: macOS has crashed on published ones there (3-D attention),
    and they take a fraction of a second elsewhere. Of the rest, what may not run where it is asked
    to runs where its maker says it runs best.
    """
    wanted = UNITS[placement]
    if part in (Part.TEXT_ENCODER, Part.TEXT_ENCODER_2, Part.SAFETY_CHECKER):
        neural = Units.CPU_AND_NEURAL_ENGINE
        return neural if wanted is neural and neural in spec.units else Units.CPU
    if wanted is Units.CPU or wanted in spec.units or not spec.units:
        return wanted
    return spec.units[0]
