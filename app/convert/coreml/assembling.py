"""The part of ``converting`` that needs torch: one network after the other becomes a package."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from app.convert.coreml import compress, multifunction, notice, safety
from app.convert.coreml.converting import (
    ConversionOptions,
    Converting,
    Needs,
    Runs,
    Stage,
)
from app.convert.coreml.export import export_package
from app.convert.coreml.fuse import Loras
from app.convert.coreml.golden import write_golden
from app.convert.coreml.lint import functions_of, lint
from app.convert.coreml.pace import Pace, Step
from app.convert.coreml.parts import CONFIGS, Network, Shape, factor_of, load_network
from app.convert.folder import copy_tokenizer, look_through, weight_files
from app.convert.networks import weights_stem
from app.convert.tensor_files import sync
from app.core.coreml_manifest import (
    FILE_NAME,
    STEMS,
    Attention,
    CoreMLManifest,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
    to_json,
)
from app.core.errors import ConversionRefused
from app.core.recipe import Size
from app.files.safetensors_header import read_header

_GIB = 1024**3
_LIBRARIES = _GIB
"""Memory of torch, diffusers, transformers and coremltools."""
_PALETTIZED = (Part.UNET, Part.TEXT_ENCODER, Part.TEXT_ENCODER_2)
_SIZED = (Part.UNET, Part.VAE_DECODER, Part.VAE_ENCODER)
_COPIED = ("vocabulary.json", "preview.json")
_PROVEN_SIZE = 512 * 512
"""Pixels up to which the Neural Engine is trusted; see research/coreml.md, A6."""
_BLOCK = 1 << 20


class Assembly:
    """One conversion. ``needs`` is known before anything is written.

    Raises ImportRefused, ConversionRefused.
    """

    def __init__(
        self,
        folder: Path,
        options: ConversionOptions,
        report: Callable[[Converting], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._options = options
        self._title = options.title or folder.name
        self._layout = look_through(folder)
        configs = self._layout.configs
        present = {*configs, safety.COMPONENT} if safety.has_safety_checker(folder) else configs
        self._parts = [part for part in Part if CONFIGS[part] in present]
        self._millions, self._layers = self._counted()
        self._shapes = self._chosen_shapes()
        self._pace = Pace(self._steps(), report, cancelled)
        self._pace.begin(Stage.CHECKING, "")
        unet = _Attributes(configs["unet"])
        self._loras = Loras(options.loras, self._title, unet)
        self._loras.check(configs)

    @property
    def needs(self) -> Needs:
        """Measured: see ``easel bench convert``."""
        half = {part: round(millions * 2e6) for part, millions in self._millions.items()}
        kept = sum(self._kept_bytes(part) for part in self._parts)
        largest = max(half.values())
        functions = max(len(self._shapes[part]) for part in self._parts)
        text = max(half[part] for part in self._parts if part in _PALETTIZED[1:])
        return Needs(
            disk=kept + largest * (2 + functions),
            memory=_LIBRARIES + max(round(1.8 * half[Part.UNET]), 5 * text),
        )

    def write(self, target: Path) -> CoreMLManifest:
        """Fill ``target``. Raises Stopped, ConversionRefused, ImportRefused, OSError."""
        # 1. Each network
        work = target / ".work"
        with _temporaries_in(work):
            specs = {part: self._part(part, target, work) for part in self._parts}
        shutil.rmtree(work)
        # 2. What is read beside them
        self._pace.begin(Stage.PROVING, "")
        self._copy_words(target)
        licence_file = notice.copy_licences(self._layout.folder, target)
        # 3. What was done, for people and for programs
        manifest = self._manifest(specs, licence_file)
        notice.write_notice(target, self._title, self._options.licence, manifest.changes)
        (target / FILE_NAME).write_text(to_json(manifest), encoding="utf-8")
        sync(target / FILE_NAME)
        self._pace.finish()
        return manifest

    # One network.

    def _part(self, part: Part, target: Path, work: Path) -> PartSpec:
        shapes, bits = self._shapes[part], self._bits(part)
        macos = 15 if self._options.attention is Attention.SDPA or len(shapes) > 1 else 14
        # 1. Its weights, as they will be
        self._pace.begin(Stage.LOADING, part)
        network = load_network(
            self._layout,
            part,
            self._options.attention,
            residuals=self._options.residuals,
            change=self._loras.fuse,
        )
        if bits < 16:
            self._palettize(network, bits)
        # 2. What it answers
        self._pace.begin(Stage.ANSWERING, part)
        golden = f"golden/{part}.npz"
        write_golden(network, shapes[0], target / golden)
        # 3. A package for each shape
        packages: dict[str, Path] = {}
        for number, shape in enumerate(shapes):
            self._pace.begin(Stage.CONVERTING, part)
            name = _function_name(number, shape)
            packages[name] = work / f"{part}-{name}.mlpackage"
            export_package(network, shape, macos, packages[name])
        outputs_wide = network.wide
        del network
        gc.collect()
        # 4. Weights as palettes, and all shapes in one package
        if bits < 16:
            packages = {name: self._stored(part, one, bits) for name, one in packages.items()}
        package = target / f"{STEMS[part]}.mlpackage"
        if len(packages) > 1:
            self._pace.begin(Stage.MERGING, part)
            multifunction.merge(packages, package)
            for one in packages.values():
                shutil.rmtree(one)
        else:
            packages[multifunction.MAIN].rename(package)
        # 5. Nothing in it that a Mac stumbles over
        self._pace.begin(Stage.PROVING, part)
        functions = _functions(package, shapes)
        if lint(package, functions):
            raise ConversionRefused(self._title, "failed")
        return PartSpec(
            file=package.name,
            functions=functions,
            units=self._units(part, outputs_wide),
            sha256=self._digest(package / "Data/com.apple.CoreML/weights/weight.bin"),
            bits=bits,
            attention=self._options.attention if part is Part.UNET else None,
            golden=golden,
            target=macos,
        )

    def _palettize(self, network: Network, bits: int) -> None:
        self._pace.begin(Stage.PALETTIZING, network.part)
        layers = compress.palettizable(network.module)
        total = sum(layer.weight.numel() for layer in layers)
        done = 0

        def snapped(numbers: int) -> None:
            nonlocal done
            done += numbers
            self._pace.share(done / total)

        compress.snap(network.module, bits, self._options.mode, snapped)

    def _stored(self, part: Part, package: Path, bits: int) -> Path:
        self._pace.begin(Stage.STORING, part)
        stored = package.with_name(f"stored-{package.name}")
        compress.store(package, bits, stored)
        shutil.rmtree(package)
        return stored

    # The plan.

    def _chosen_shapes(self) -> dict[Part, tuple[Shape, ...]]:
        """What each part is made for; raises ConversionRefused for sizes that cannot be."""
        configs, options = self._layout.configs, self._options
        factor = factor_of(configs["vae"])
        native = int(configs["unet"].get("sample_size") or 64) * factor
        sizes = options.sizes or (Size(native, native),)
        step = factor * 2 ** (len(configs["unet"]["block_out_channels"]) - 1)
        if any(size.width % step or size.height % step for size in sizes):
            raise ConversionRefused(self._title, "size")
        batches = (1,) if options.fast else sorted(set(options.batches), reverse=True)
        unet = tuple(Shape(size, batch) for size in sizes for batch in batches)
        single = tuple(Shape(size) for size in sizes)
        return {
            part: unet if part is Part.UNET else single if part in _SIZED else single[:1]
            for part in self._parts
        }

    def _steps(self) -> Iterator[Step]:
        yield Step(Stage.CHECKING, "")
        for part in self._parts:
            once = [Stage.LOADING, Stage.ANSWERING, Stage.PROVING]
            count, palettized = len(self._shapes[part]), self._bits(part) < 16
            once += [Stage.PALETTIZING] * palettized + [Stage.MERGING] * (count > 1)
            often = [Stage.CONVERTING] + [Stage.STORING] * palettized
            for stage in [*once, *often * count]:
                layers = self._layers[part] if stage is Stage.PALETTIZING else 0
                yield Step(stage, part, self._millions[part], layers)
        yield Step(Stage.PROVING, "")

    def _bits(self, part: Part) -> int:
        return self._options.bits if part in _PALETTIZED else 16

    def _kept_bytes(self, part: Part) -> int:
        return round(self._millions[part] * 1e6 * self._bits(part) / 8 * 1.05)

    def _counted(self) -> tuple[dict[Part, float], dict[Part, int]]:
        """Millions of weights, and how many palettes, of each part's component."""
        millions, layers = dict.fromkeys(self._parts, 0.0), dict.fromkeys(self._parts, 0)
        for part in self._parts:
            for file in self._weight_files(CONFIGS[part]):
                sizes = [math.prod(shape) for shape in read_header(file).shapes.values()]
                millions[part] += sum(sizes) / 1e6
                layers[part] += sum(size > compress.THRESHOLD for size in sizes)
        return millions, layers

    def _weight_files(self, component: str) -> Iterator[Path]:
        configs = self._layout.configs
        stem = weights_stem(configs[component]) if component in configs else safety.STEM
        return weight_files(self._layout.folder / component, stem)

    # The folder.

    def _units(self, part: Part, wide: bool) -> tuple[Units, ...]:
        """Text encoders never run on the GPU: it crashed with some on macOS 27."""
        if part is Part.SAFETY_CHECKER:
            return (Units.CPU,)
        if part in (Part.TEXT_ENCODER, Part.TEXT_ENCODER_2):
            return (Units.CPU_AND_NEURAL_ENGINE, Units.CPU)
        pixels = max(one.size.width * one.size.height for one in self._shapes[part])
        neural = self._options.runs is Runs.NEURAL_ENGINE and not wide
        neural = neural and pixels <= _PROVEN_SIZE and not self._options.residuals
        neural = neural and (part is not Part.UNET or self._options.attention is not Attention.SDPA)
        return (Units.CPU_AND_NEURAL_ENGINE,) * neural + (Units.CPU_AND_GPU, Units.CPU)

    def _digest(self, file: Path) -> str:
        digest = hashlib.sha256()
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                self._pace.look()
        return digest.hexdigest()

    def _copy_words(self, target: Path) -> None:
        folder = self._layout.folder
        for name in ("tokenizer", "tokenizer_2"):
            if name in self._layout.index:
                copy_tokenizer(folder, name, target / name)
        for name in _COPIED:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, target / name)

    def _manifest(self, specs: dict[Part, PartSpec], licence_file: str) -> CoreMLManifest:
        layout, options = self._layout, self._options
        vae, unet, text = (layout.configs[name] for name in ("vae", "unet", "text_encoder"))
        scheduler = dict(layout.scheduler)
        if options.fast:
            scheduler["_class_name"] = "LCMScheduler"
        components = dict.fromkeys(CONFIGS[part] for part in self._parts)
        files = [file for name in components for file in self._weight_files(name)]
        return CoreMLManifest(
            title=self._title,
            family=layout.found.family,
            parts=specs,
            scheduler=scheduler,
            latent_channels=int(vae.get("latent_channels", 4)),
            latent_scale=float(vae.get("scaling_factor", 0.18215)),
            factor=factor_of(vae),
            latent_shift=float(vae.get("shift_factor") or 0.0),
            vae_kind="kl" if vae["_class_name"] == "AutoencoderKL" else "plain",
            hidden_layer=2 if Part.TEXT_ENCODER_2 in specs else 1,
            time_cond_dim=int(unet.get("time_cond_proj_dim") or 0),
            max_tokens=int(text.get("max_position_embeddings", 77)),
            source=self._title,
            source_files={
                file.relative_to(layout.folder).as_posix(): self._digest(file) for file in files
            },
            licence=options.licence,
            licence_file=licence_file,
            changes=tuple(self._changes()),
        )

    def _changes(self) -> Iterator[str]:
        options = self._options
        yield f"converted to Core ML, attention {options.attention}, fp16"
        for lora in options.loras:
            yield f"fused LoRA {Path(lora.file).name} at {lora.weight:g}"
        if options.bits < 16:
            yield f"{options.bits}-bit {options.mode} palettization of UNet and text encoders"


class _Attributes:
    """A configuration as diffusers' functions read it: ``unet.layers_per_block``."""

    def __init__(self, values: object) -> None:
        self.__dict__.update(values)  # type: ignore[call-overload]


@contextlib.contextmanager
def _temporaries_in(folder: Path) -> Iterator[None]:
    """What coremltools puts aside lies in ``folder``, so that it goes when that does."""
    folder.mkdir()
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _function_name(number: int, shape: Shape) -> str:
    """The first is the default one."""
    return multifunction.MAIN if number == 0 else f"s{shape.size}b{shape.batch}"


def _functions(package: Path, shapes: tuple[Shape, ...]) -> tuple[FunctionSpec, ...]:
    """What is in ``package``, as it says itself, in the order of ``shapes``."""
    found = functions_of(package)
    specs = []
    for number, shape in enumerate(shapes):
        name = _function_name(number, shape)
        inputs, outputs = found[name]
        specs.append(
            FunctionSpec(name, inputs, outputs, shape.size.height, shape.size.width, shape.batch)
        )
    return tuple(specs)
