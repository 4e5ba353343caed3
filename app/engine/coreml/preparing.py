"""Prepares a model for a placement: compiled, loaded once, asked a question with a known answer.

The first load on a unit makes macOS compile for it, which takes minutes on the Neural Engine and
has been seen to hang: ``app.jobs.preparing`` runs this in a child that can be ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from app.core.coreml_manifest import (
    FILE_NAME,
    CoreMLManifest,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
)
from app.core.errors import ModelDamaged, OutOfMemory, PredictionFailed
from app.core.placement import Placement
from app.engine.coreml import golden
from app.engine.coreml.backend import Backend
from app.engine.coreml.chunks import FIRST_CHUNK, SECOND_CHUNK
from app.engine.coreml.compute_plan import Shares
from app.engine.coreml.golden import LEAST
from app.engine.coreml.model import check_parts, read_manifest
from app.engine.coreml.networks import units_of
from app.engine.coreml.runtime import Array, Model
from app.engine.coreml.verdicts import MEMORY, PartVerdict, Verdict, Verdicts

_TIMED = 2
"""Predictions that are timed, after the first; the fastest counts."""
_SECONDS_PER_GB = {Units.CPU: 4.0, Units.CPU_AND_GPU: 15.0}
_NEURAL_SECONDS_PER_GB = 120.0
"""First loads of UNets of 1.7 GB on the Neural Engine took 92 to 273 s in public reports."""
_LEAST_S = 3.0


class Stage(StrEnum):
    """What is being done with a part."""

    ANSWERING = "answering"  # making the known answer, on the CPU
    COMPILING = "compiling"
    LOADING = "loading"
    TESTING = "testing"


@dataclass(frozen=True, slots=True)
class Preparing:
    """``part`` ``number`` of ``count`` is at ``stage``. ``elapsed``: seconds since the start;
    ``estimate``: seconds that all of it will take, as far as that is known."""

    part: Part
    number: int
    count: int
    stage: Stage
    elapsed: float
    estimate: float


Report = Callable[[Preparing], None]
IsCancelled = Callable[[], bool]


def prepare(
    folder: Path,
    placement: Placement,
    os_build: str,
    backend: Backend,
    verdicts: Verdicts,
    report: Report,
    cancelled: IsCancelled,
) -> Verdict | None:
    """Prepare the model in ``folder`` and return the verdict; None when it was cancelled.

    A part that does not answer, or not well enough, makes a verdict that does not work. Raises what
    no placement can mend: ModelError; NoSpace and FolderNotWritable.
    """
    manifest = read_manifest(folder)
    check_parts(folder, manifest)
    estimate = _estimate(folder, manifest, placement, verdicts)
    began = time.monotonic()
    done: list[PartVerdict] = []
    for number, (part, spec) in enumerate(manifest.parts.items(), 1):

        def tell(
            stage: Stage, part: Part = part, number: int = number, count: int = len(manifest.parts)
        ) -> bool:
            elapsed = time.monotonic() - began
            report(Preparing(part, number, count, stage, elapsed, max(estimate, elapsed)))
            return cancelled()

        work = _Part(folder, part, spec, units_of(part, spec, placement), backend, tell)
        try:
            verdict = work.prepared(verdicts.answers(folder))
        except (PredictionFailed, OutOfMemory) as error:
            reason = error.reason if isinstance(error, PredictionFailed) else MEMORY
            return Verdict(placement, os_build, tuple(done), part.value, reason)
        if verdict is None:
            return None
        done.append(verdict)
    return Verdict(placement, os_build, tuple(done))


@dataclass(frozen=True, slots=True)
class _Part:
    """One part at work. ``tell`` says what is done now, and hears whether to stop."""

    folder: Path
    part: Part
    spec: PartSpec
    units: Units
    backend: Backend
    tell: Callable[[Stage], bool]

    def prepared(self, answers: Path) -> PartVerdict | None:
        """None when it was cancelled. Raises PredictionFailed, OutOfMemory, ModelError."""
        # 1. Compiled to its fixed place, once for all units
        if self.tell(Stage.COMPILING):
            return None
        if self.backend.compiler is not None:
            for file in self._files():
                self.backend.compiler.compile(file)
        # 2. The question, and its answer
        known = self._known(answers)
        if known is None:
            return None
        function, inputs, expected = known
        # 3. The first load on this unit
        if self.tell(Stage.LOADING):
            return None
        began = time.monotonic()
        model = self._open(self.units, function)
        try:
            load_s = time.monotonic() - began
            # 4. What it answers, and how fast
            if self.tell(Stage.TESTING):
                return None
            likeness = golden.cosine(self._answer(model, inputs, expected), expected)
            if not likeness > LEAST[self.units]:  # NaN is not
                raise PredictionFailed(self.part.value, "answer")
            predict_s = min(_timed(model, inputs) for _ in range(_TIMED))
        finally:
            model.close()
        # 5. Where macOS does the work
        shares = self._shares(function)
        return PartVerdict(self.part, likeness, load_s, predict_s, shares)

    def _known(
        self, answers: Path
    ) -> tuple[FunctionSpec, dict[str, Array], dict[str, Array]] | None:
        file = self.folder / self.spec.golden
        if not self.spec.golden:
            file = answers / f"{self.part.value}.npz"
            if not file.exists() and not self._make(file):
                return None
        inputs, expected = golden.read_golden(file)
        try:
            function = golden.function_for(self.spec.functions, inputs)
        except ValueError as error:
            raise ModelDamaged(str(file), "mismatch") from error
        if not expected or not expected.keys() <= {one.name for one in function.outputs}:
            raise ModelDamaged(str(file), "mismatch")
        return function, inputs, expected

    def _make(self, file: Path) -> bool:
        """Ask the CPU. False when it was cancelled.

        Raises PredictionFailed("answer") where not even the CPU gives numbers.
        """
        if self.tell(Stage.ANSWERING):
            return False
        model = self._open(Units.CPU, self.spec.functions[0])
        try:
            inputs = golden.question(model.inputs)
            answers = model.predict(inputs)
        finally:
            model.close()
        if not golden.cosine(answers, answers) > LEAST[Units.CPU]:
            raise PredictionFailed(self.part.value, "answer")
        golden.write_golden(file, inputs, answers)
        return True

    def _open(self, units: Units, function: FunctionSpec) -> Model:
        """Raises ModelDamaged where the manifest says something else than the model itself."""
        model = self.backend.runtime.open(self.folder / self.spec.file, units, function.name)
        takes = {one.name: (one.shape, one.dtype) for one in function.inputs}
        gives = {one.name for one in function.outputs}
        said = {name: (one.shape, one.dtype) for name, one in model.inputs.items()}
        if said != takes or model.outputs.keys() != gives:
            model.close()
            raise ModelDamaged(str(self.folder / FILE_NAME), "mismatch")
        return model

    def _answer(
        self, model: Model, inputs: dict[str, Array], expected: dict[str, Array]
    ) -> dict[str, Array]:
        found = model.predict(inputs)
        for name, answer in expected.items():
            if name not in found or found[name].shape != answer.shape:
                raise PredictionFailed(self.part.value, "output")
        return found

    def _files(self) -> tuple[Path, ...]:
        file = self.folder / self.spec.file
        if file.stem != FIRST_CHUNK:
            return (file,)
        return file, file.with_name(f"{SECOND_CHUNK}{file.suffix}")

    def _shares(self, function: FunctionSpec) -> Shares | None:
        """Over all files; None where macOS does not say of one."""
        if self.backend.compiler is None:
            return None
        found = [
            self.backend.compiler.plan(file, self.units, function.name) for file in self._files()
        ]
        known = [one for one in found if one is not None]
        if len(known) != len(found):
            return None
        count = len(known)
        return replace(
            known[0],
            neural_engine=sum(one.neural_engine for one in known) / count,
            gpu=sum(one.gpu for one in known) / count,
            cpu=sum(one.cpu for one in known) / count,
        )


def _timed(model: Model, inputs: dict[str, Array]) -> float:
    began = time.monotonic()
    model.predict(inputs)
    return time.monotonic() - began


def _estimate(
    folder: Path, manifest: CoreMLManifest, placement: Placement, verdicts: Verdicts
) -> float:
    """Seconds: what it took before the system was updated, else by the size of the weights."""
    before = verdicts.latest(folder, placement)
    if before is not None and before.works:
        return sum(one.load_s + 3 * one.predict_s for one in before.parts)
    seconds = 0.0
    for part, spec in manifest.parts.items():
        size = sum(one.stat().st_size for one in (folder / spec.file).rglob("*") if one.is_file())
        rate = _SECONDS_PER_GB.get(units_of(part, spec, placement), _NEURAL_SECONDS_PER_GB)
        seconds += max(_LEAST_S, rate * size / 1e9)
    return seconds
