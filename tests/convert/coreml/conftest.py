"""Converted networks and folders, each made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.convert.coreml import compress, surgery
from app.convert.coreml.converting import ConversionOptions, Converting, convert_model
from app.convert.coreml.export import export_package
from app.convert.coreml.parts import Network, Shape, load_network
from app.convert.folder import look_through
from app.core.coreml_manifest import Attention, CoreMLManifest, FunctionSpec, Part
from app.core.recipe import Size
from tests.convert.coreml.tinier import SIDE, write_tinier


@pytest.fixture(scope="session")
def small_limits() -> Iterator[None]:
    """Chunks and palettes as large models have them, in models that have almost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surgery, "CHUNK", 24)
        patch.setattr(compress, "THRESHOLD", 500)
        yield


@pytest.fixture(scope="session")
def tinier(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``tinier(family)``: a model folder; do not change it."""
    root = tmp_path_factory.mktemp("tinier")

    def made(family: str) -> Path:
        folder = root / family
        return folder if folder.is_dir() else write_tinier(family, folder)

    return made


@dataclass(frozen=True, slots=True)
class Packaged:
    """A network, the package made of it, and what it was made for."""

    network: Network
    shape: Shape
    package: Path


@pytest.fixture(scope="session")
def packaged(
    tinier: Callable[[str], Path],
    small_limits: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Packaged]:
    """``packaged(family, part, attention)``: one network as a package; do not change it."""
    root = tmp_path_factory.mktemp("packages")
    known: dict[object, Packaged] = {}

    def made(
        family: str,
        part: Part = Part.UNET,
        attention: Attention = Attention.SPLIT_EINSUM,
        residuals: bool = False,
    ) -> Packaged:
        key = (family, part, attention, residuals)
        if key not in known:
            layout = look_through(tinier(family))
            network = load_network(layout, part, attention, residuals=residuals)
            side = 64 if family == "starter" else SIDE
            shape = Shape(Size(side, side), 2 if part is Part.UNET else 1)
            package = root / f"{len(known)}.mlpackage"
            target = 15 if attention is Attention.SDPA else 14
            export_package(network, shape, target, package)
            known[key] = Packaged(network, shape, package)
        return known[key]

    return made


@dataclass(frozen=True, slots=True)
class Converted:
    """A whole converted folder, and what was said on the way."""

    folder: Path
    manifest: CoreMLManifest
    said: tuple[Converting, ...]

    def main(self, part: Part) -> FunctionSpec:
        return self.manifest.parts[part].functions[0]


@pytest.fixture(scope="session")
def converted(
    tinier: Callable[[str], Path],
    small_limits: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Converted]:
    """``converted(family, options)``: a folder of packages; do not change it."""
    root = tmp_path_factory.mktemp("converted")
    known: dict[object, Converted] = {}

    def made(family: str, options: ConversionOptions) -> Converted:
        if (family, options) not in known:
            said: list[Converting] = []
            target = root / str(len(known))
            manifest = convert_model(tinier(family), target, options, said.append, lambda: False)
            assert manifest is not None
            known[family, options] = Converted(target, manifest, tuple(said))
        return known[family, options]

    return made
