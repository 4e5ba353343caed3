"""Preparing says what a unit can do, and each thing that goes wrong has its name."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.coreml_manifest import FeatureSpec, FunctionSpec, Part, Units
from app.core.errors import (
    EaselError,
    ModelDamaged,
    ModelIncomplete,
    ModelMissing,
    OutOfMemory,
    PredictionFailed,
)
from app.core.placement import Placement
from app.engine.coreml import golden
from app.engine.coreml.backend import Backend
from app.engine.coreml.compute_plan import Shares
from app.engine.coreml.golden import LEAST
from app.engine.coreml.preparing import Preparing, Stage, prepare
from app.engine.coreml.verdicts import PartVerdict, Verdict, Verdicts
from tests.engine.coreml.tiny_models import standin, tiny_folder
from tests.engine.coreml.worker import worker

NEURAL = Placement.COREML_NEURAL_ENGINE
BUILD = "24A335"


class Preparation:
    """A tiny folder, and what was said while it was prepared."""

    def __init__(self, root: Path, **changed: object) -> None:
        self.root = root
        self.folder = tiny_folder(root / "model", **changed)
        self.verdicts = Verdicts(root / "verdicts")
        self.events: list[Preparing] = []

    def run(
        self,
        how: str = "",
        placement: Placement = NEURAL,
        backend: Backend | None = None,
        stop_at: Callable[[Preparing], bool] = lambda _: False,
        plan: bool = False,
    ) -> Verdict | None:
        used = backend or standin(self.root / "cache", how, plan=plan)
        with worker() as call:
            return call(  # type: ignore[no-any-return]
                prepare,
                self.folder,
                placement,
                BUILD,
                used,
                self.verdicts,
                self.events.append,
                lambda: stop_at(self.events[-1]),
            )

    def files(self) -> list[str]:
        return sorted(
            one.relative_to(self.root).as_posix()
            for one in self.root.rglob("*")
            if one.is_file() and "model/" not in str(one)
        )


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    return Preparation(tmp_path)


def refused(work: Callable[[], object]) -> EaselError:
    with pytest.raises(EaselError) as caught:
        work()
    return caught.value


# --- what goes well --------------------------------------------------------------------------


def test_every_part_is_compiled_loaded_asked_and_timed(preparation: Preparation) -> None:
    verdict = preparation.run(plan=True)

    assert verdict is not None
    assert verdict.works
    assert verdict.neural_share == pytest.approx(0.94)
    assert not verdict.fell_back
    assert [one.part for one in verdict.parts] == [Part.UNET, Part.TEXT_ENCODER, Part.VAE_DECODER]
    for one in verdict.parts:
        assert one.cosine > LEAST[Units.CPU]
        assert one.load_s > 0
        assert one.predict_s > 0
        assert one.shares == Shares(0.94, 0.0, 0.06)
    stages = [(event.part, event.stage) for event in preparation.events]
    assert stages == [
        (part, stage)
        for part in (Part.UNET, Part.TEXT_ENCODER, Part.VAE_DECODER)
        for stage in (Stage.COMPILING, Stage.ANSWERING, Stage.LOADING, Stage.TESTING)
    ]
    assert [event.number for event in preparation.events[::4]] == [1, 2, 3]
    elapsed = [event.elapsed for event in preparation.events]
    assert elapsed == sorted(elapsed)
    assert all(event.estimate >= event.elapsed for event in preparation.events)
    assert pickle.loads(pickle.dumps(preparation.events)) == preparation.events


def test_answers_are_made_once_and_kept_outside_the_model(preparation: Preparation) -> None:
    before = sorted(preparation.folder.rglob("*"))
    preparation.run()
    preparation.events.clear()

    preparation.run(placement=Placement.COREML_GPU)

    assert Stage.ANSWERING not in {event.stage for event in preparation.events}
    assert sorted(preparation.folder.rglob("*")) == before
    kept = preparation.verdicts.answers(preparation.folder)
    assert sorted(one.name for one in kept.iterdir()) == [
        "text_encoder.npz",
        "unet.npz",
        "vae_decoder.npz",
    ]


def test_answers_that_came_along_are_what_counts(tmp_path: Path) -> None:
    preparation = Preparation(tmp_path, golden="golden/unet.npz")
    inputs = golden.question(
        {
            "sample": FeatureSpec("sample", (2, 4, 8, 8), "float16"),
            "timestep": FeatureSpec("timestep", (2,), "float32"),
            "encoder_hidden_states": FeatureSpec("e", (2, 8, 1, 7), "float16"),
        }
    )
    file = preparation.folder / "golden" / "unet.npz"
    golden.write_golden(file, inputs, {"noise_pred": np.ones((2, 4, 8, 8), np.float32)})

    verdict = preparation.run()

    assert verdict is not None
    assert (verdict.failed, verdict.reason) == ("unet", "answer")
    assert (Part.UNET, Stage.ANSWERING) not in [(e.part, e.stage) for e in preparation.events]


def test_the_text_encoder_is_never_asked_on_the_gpu(preparation: Preparation) -> None:
    backend = standin(preparation.root / "cache")
    seen: list[tuple[str, Units]] = []

    class Seeing:
        def open(self, path: Path, units: Units, function: str = "main") -> object:
            seen.append((path.stem, units))
            return backend.runtime.open(path, units, function)

    preparation.run(placement=Placement.COREML_GPU, backend=Backend(Seeing()))  # type: ignore[arg-type]

    assert set(seen) == {
        ("Unet", Units.CPU),
        ("Unet", Units.CPU_AND_GPU),
        ("TextEncoder", Units.CPU),
        ("VAEDecoder", Units.CPU),
        ("VAEDecoder", Units.CPU_AND_GPU),
    }


def test_the_next_estimate_is_what_it_took(preparation: Preparation) -> None:
    part = PartVerdict(Part.UNET, 1.0, 40.0, 0.5)
    preparation.verdicts.write(preparation.folder, Verdict(NEURAL, "older", (part,)))
    preparation.run()
    assert preparation.events[0].estimate == pytest.approx(41.5)


def test_work_that_macos_moved_to_the_processor_is_seen() -> None:
    part = PartVerdict(Part.UNET, 1.0, 1.0, 1.0, Shares(0.5, 0.0, 0.5))
    assert Verdict(NEURAL, BUILD, (part,)).fell_back
    assert not Verdict(Placement.COREML_GPU, BUILD, (part,)).fell_back
    assert not Verdict(NEURAL, BUILD, (PartVerdict(Part.UNET, 1.0, 1.0, 1.0),)).fell_back


# --- verdicts --------------------------------------------------------------------------------


def test_a_verdict_is_of_one_build_one_placement_and_one_model(preparation: Preparation) -> None:
    part = PartVerdict(Part.UNET, 0.997, 91.0, 0.41, Shares(0.9, 0.1, 0.0))
    verdict = Verdict(NEURAL, BUILD, (part,), "vae_decoder", "answer")
    folder, verdicts = preparation.folder, preparation.verdicts
    verdicts.write(folder, verdict)

    assert verdicts.read(folder, NEURAL, BUILD) == verdict
    assert verdicts.read(folder, NEURAL, "24B83") is None
    assert verdicts.latest(folder, NEURAL) == verdict
    assert verdicts.read(folder, Placement.COREML_GPU, BUILD) is None
    manifest = folder / "coreml.json"
    manifest.write_text(manifest.read_text("utf-8").replace("Tiny", "Other"), "utf-8")
    assert verdicts.read(folder, NEURAL, BUILD) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 9}', '{"format": 1, "parts": [1]}'])
def test_a_verdict_that_cannot_be_read_is_none(text: str, preparation: Preparation) -> None:
    preparation.verdicts.write(preparation.folder, Verdict(NEURAL, BUILD))
    file = next((preparation.root / "verdicts").rglob("*.json"))
    assert json.loads(file.read_text("utf-8"))["os_build"] == BUILD
    file.write_text(text, "utf-8")
    assert preparation.verdicts.read(preparation.folder, NEURAL, BUILD) is None


# --- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("nan", PredictionFailed("unet", "answer")),
        ("noise", PredictionFailed("unet", "answer")),
        ("zeros", PredictionFailed("unet", "answer")),
        ("shape", PredictionFailed("unet", "output")),
        ("missing", PredictionFailed("unet", "output")),
        ("compile", PredictionFailed("unet", "compile")),
        ("load", PredictionFailed("unet", "no load today")),
        ("memory", OutOfMemory()),
        ("everywhere nan", PredictionFailed("unet", "answer")),
    ],
)
def test_what_a_unit_cannot_do_is_its_verdict(
    how: str, error: EaselError, preparation: Preparation
) -> None:
    verdict = preparation.run(how)

    assert verdict is not None
    assert not verdict.works
    assert verdict.error() == error
    assert verdict.parts == ()
    assert [name for name in preparation.files() if "part" in name] == []


@pytest.mark.parametrize(("placement", "works"), [(NEURAL, True), (Placement.COREML_GPU, False)])
def test_the_gpu_is_held_to_more(
    placement: Placement, works: bool, preparation: Preparation
) -> None:
    verdict = preparation.run("slightly off", placement)
    assert verdict is not None
    assert verdict.works == works


def test_a_manifest_that_lies_is_damage(tmp_path: Path) -> None:
    function = FunctionSpec(
        "main", (FeatureSpec("sample", (2, 4, 16, 16), "float16"),), (), 128, 128, 2
    )
    preparation = Preparation(tmp_path, functions=(function,))
    damage = ModelDamaged(str(preparation.folder / "coreml.json"), "mismatch")
    assert refused(preparation.run) == damage


@pytest.mark.parametrize("text", [b"", b"PK\x03\x04", b"not an npz"])
def test_answers_that_cannot_be_read_are_damage(text: bytes, tmp_path: Path) -> None:
    preparation = Preparation(tmp_path, golden="golden.npz")
    file = preparation.folder / "golden.npz"
    file.write_bytes(text)
    assert refused(preparation.run) == ModelDamaged(str(file), "mismatch")


@pytest.mark.parametrize(
    ("inputs", "answers"),
    [
        ({"sample": (2, 4, 9, 9)}, {"noise_pred": (2, 4, 8, 8)}),
        ({"sample": (2, 4, 8, 8), "timestep": (2,), "encoder_hidden_states": (2, 8, 1, 7)}, {}),
        (
            {"sample": (2, 4, 8, 8), "timestep": (2,), "encoder_hidden_states": (2, 8, 1, 7)},
            {"other": (1,)},
        ),
    ],
)
def test_answers_of_another_model_are_damage(
    inputs: dict[str, tuple[int, ...]], answers: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    preparation = Preparation(tmp_path, golden="golden.npz")
    file = preparation.folder / "golden.npz"
    golden.write_golden(
        file,
        {name: np.zeros(shape) for name, shape in inputs.items()},
        {name: np.zeros(shape) for name, shape in answers.items()},
    )
    assert refused(preparation.run) == ModelDamaged(str(file), "mismatch")


def test_a_folder_that_is_not_whole_is_no_verdict(preparation: Preparation) -> None:
    (preparation.folder / "Unet.mlpackage").rename(preparation.root / "gone")
    assert refused(preparation.run) == ModelIncomplete(str(preparation.folder), ("Unet.mlpackage",))
    preparation.folder.rename(preparation.root / "all gone")
    assert refused(preparation.run) == ModelMissing(str(preparation.folder))


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("part", [Part.UNET, Part.VAE_DECODER])
def test_a_stop_in_each_phase_leaves_no_half_thing(
    stage: Stage, part: Part, preparation: Preparation
) -> None:
    def here(event: Preparing) -> bool:
        return (event.part, event.stage) == (part, stage)

    assert preparation.run(stop_at=here) is None
    assert here(preparation.events[-1])
    assert preparation.verdicts.latest(preparation.folder, NEURAL) is None
    assert [name for name in preparation.files() if "part" in name] == []
    verdict = preparation.run()
    assert verdict is not None
    assert verdict.works


@pytest.mark.parametrize(
    ("found", "expected", "value"),
    [
        ([1.0, 0.0], [2.0, 0.0], 1.0),
        ([1.0, 0.0], [0.0, 3.0], 0.0),
        ([1.0, 1.0], [1.0, 0.0], 0.5**0.5),
        ([0.0, 0.0], [0.0, 0.0], 1.0),
        ([0.0, 0.0], [1.0, 0.0], 0.0),
        ([np.nan, 1.0], [1.0, 0.0], np.nan),
        ([np.inf, 1.0], [1.0, 0.0], np.nan),
    ],
)
def test_cosine(found: list[float], expected: list[float], value: float) -> None:
    both = {"a": np.array(found), "b": np.ones(2)}, {"a": np.array(expected), "b": np.ones(2)}
    assert golden.cosine(*both) == pytest.approx(value, nan_ok=True)
