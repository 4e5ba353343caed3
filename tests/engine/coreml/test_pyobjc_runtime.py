"""What Core ML's runtime says to macOS, and what it makes of what macOS says.

The shared suite (``test_runtime_conformance.py``) has what every runtime does.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app.core.coreml_manifest import Units
from app.core.errors import (
    EaselError,
    FolderNotWritable,
    ModelDamaged,
    ModelIncomplete,
    ModelUnsupported,
    OutOfMemory,
    PlacementUnavailable,
    PredictionFailed,
)
from app.engine.coreml import compute_plan
from app.engine.coreml.bridge import Bridge, bridge_of_this_mac
from app.engine.coreml.compute_plan import Shares
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from tests.engine.coreml.standin.coreml import CONSTANTS
from tests.engine.coreml.standin.world import Fault, Silence, Thrown, World
from tests.engine.coreml.tiny_packages import ABOUT, UNET, TinyModels, computed, write_package
from tests.engine.coreml.worker import Call, worker

SAID = Fault("com.apple.CoreML", 0, "in so many words")


class Mac:
    """A world, a runtime on it, one package, and the thread that may use them."""

    def __init__(self, world: World, folder: Path, call: Call) -> None:
        self.world = world
        self.call = call
        self.runtime = CoreMLRuntime(world.bridge, folder / "cache")
        self.package = write_package(folder / "Unet.mlpackage")
        self.values = {name: np.ones(shape, dtype) for name, (shape, dtype) in UNET[""][0].items()}

    @property
    def models(self) -> TinyModels:
        assert isinstance(self.world.models, TinyModels)
        return self.world.models

    def predict(self, **changed: Any) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            model = self.runtime.open(self.package, Units.CPU)
            answers = model.predict({**self.values, **changed})
            model.close()
            return answers

        return self.call(work)  # type: ignore[no-any-return]


@pytest.fixture
def mac(tmp_path: Path) -> Iterator[Mac]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    world = World(TinyModels(), temporary)
    with worker() as call:
        yield Mac(world, tmp_path, call)
    world.check()


def refused(work: Callable[[], object]) -> EaselError:
    with pytest.raises(EaselError) as caught:
        work()
    return caught.value


def features(mac: Mac, takes: dict[str, Any], gives: dict[str, Any]) -> None:
    mac.package = write_package(mac.package.with_name("Other.mlpackage"), {"": (takes, gives)})
    mac.values = {name: np.ones(shape, np.float32) for name, (shape, _) in takes.items()}


# --- loading --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "name"),
    [
        (Units.CPU, "MLComputeUnitsCPUOnly"),
        (Units.CPU_AND_GPU, "MLComputeUnitsCPUAndGPU"),
        (Units.ALL, "MLComputeUnitsAll"),
        (Units.CPU_AND_NEURAL_ENGINE, "MLComputeUnitsCPUAndNeuralEngine"),
    ],
)
def test_it_loads_the_compiled_form_for_the_units(mac: Mac, units: Units, name: str) -> None:
    place = mac.call(mac.runtime.compile, mac.package)

    mac.call(mac.runtime.open, mac.package, units).close()

    assert mac.world.loaded == [(place, CONSTANTS[name], "")]


def test_a_package_is_compiled_once_to_a_fixed_place(mac: Mac) -> None:
    place = mac.call(mac.runtime.compile, mac.package)
    again = CoreMLRuntime(mac.world.bridge, mac.package.parent / "cache")

    assert mac.call(again.compile, mac.package) == place
    assert place.parent.parent == mac.package.parent / "cache"
    assert (place / ABOUT).stat().st_ino == mac.world.made[0]  # moved, not copied
    assert [one.suffix for one in place.parent.iterdir()] == [".mlmodelc"]
    assert list(mac.world.temporary.rglob("*.mlmodelc")) == []
    assert mac.world.sent.count("+compileModelAtURL:error:") == 1


def test_a_changed_package_is_compiled_again_and_its_old_form_goes(mac: Mac) -> None:
    place = mac.call(mac.runtime.compile, mac.package)
    about = mac.package / ABOUT
    os.utime(about, ns=(1, about.stat().st_mtime_ns + 1))

    newer = mac.call(mac.runtime.compile, mac.package)

    assert newer != place
    assert list(place.parent.iterdir()) == [newer]


def test_packages_of_one_name_have_places_of_their_own(mac: Mac) -> None:
    other = write_package(mac.package.parent / "other" / "Unet.mlpackage")
    about = (mac.package / ABOUT).stat()
    os.utime(other / ABOUT, ns=(about.st_atime_ns, about.st_mtime_ns))

    first = mac.call(mac.runtime.compile, mac.package)
    second = mac.call(mac.runtime.compile, other)

    assert first.exists()
    assert first != second


def test_what_a_killed_compiler_left_is_replaced(mac: Mac) -> None:
    place = mac.call(mac.runtime.compile, mac.package)
    place.rename(place.with_suffix(".part"))
    (place.with_suffix(".part") / "half").touch()

    assert mac.call(mac.runtime.compile, mac.package) == place
    assert [one.name for one in place.iterdir()] == [ABOUT]
    assert list(place.parent.iterdir()) == [place]


def test_a_compiled_model_is_loaded_where_it_is(mac: Mac) -> None:
    compiled = mac.package.rename(mac.package.with_suffix(".mlmodelc"))

    assert mac.call(mac.runtime.compile, compiled) == compiled
    mac.call(mac.runtime.open, compiled, Units.CPU).close()

    assert "+compileModelAtURL:error:" not in mac.world.sent
    assert not (mac.package.parent / "cache").exists()


def test_a_full_or_locked_cache_is_named_and_nothing_left(mac: Mac) -> None:
    cache = mac.package.parent / "cache"
    cache.touch()

    error = refused(lambda: mac.call(mac.runtime.compile, mac.package))

    assert isinstance(error, FolderNotWritable)
    assert error.reason == "not a folder"
    assert list(mac.world.temporary.rglob("*.mlmodelc")) == []


def test_a_file_in_its_place_is_named_and_nothing_left(mac: Mac) -> None:
    place = mac.call(mac.runtime.compile, mac.package)
    shutil.rmtree(place)
    place.touch()

    error = refused(lambda: mac.call(mac.runtime.compile, mac.package))

    assert isinstance(error, FolderNotWritable)
    assert list(place.parent.iterdir()) == [place]


def test_a_function_is_chosen_by_name_on_macos_15(mac: Mac) -> None:
    features = UNET[""]
    several = write_package(mac.package.with_name("S.mlpackage"), {"": features, "wide": features})

    mac.call(mac.runtime.open, several, Units.CPU, "wide").close()

    assert mac.world.loaded[0][2] == "wide"


def test_a_function_is_refused_before_macos_15(tmp_path: Path) -> None:
    world = World(TinyModels(), tmp_path, macos=(14, 7))
    with worker() as call:
        mac = Mac(world, tmp_path, call)
        error = refused(lambda: call(mac.runtime.open, mac.package, Units.CPU, "wide"))
        mac.call(mac.runtime.open, mac.package, Units.CPU).close()
    assert error == ModelUnsupported(str(mac.package), "function wide before macOS 15")


def test_a_file_is_no_model(mac: Mac) -> None:
    file = mac.package.with_name("File.mlpackage")
    file.touch()
    assert refused(lambda: mac.call(mac.runtime.compile, file)) == ModelIncomplete(
        str(file.parent), (file.name,)
    )


@pytest.mark.parametrize(
    ("fault", "loading", "compiling"),
    [
        (SAID, PredictionFailed("unet", "in so many words"), PredictionFailed("unet", "compile")),
        (Silence(), PredictionFailed("unet", "Core ML gave no reason"), None),
        (Thrown("it threw"), PredictionFailed("unet", "it threw"), None),
        (Fault("NSPOSIXErrorDomain", 12, ""), OutOfMemory(), OutOfMemory()),
        (Fault("NSPOSIXErrorDomain", 13, "no"), PredictionFailed("unet", "no"), None),
        (Fault("com.apple.CoreML", 12, "twelve"), PredictionFailed("unet", "twelve"), None),
        (Fault("com.apple.CoreML", 3, "?"), "damaged", "damaged"),
        (Fault("com.apple.other", 3, "three"), PredictionFailed("unet", "three"), None),
    ],
)
def test_what_core_ml_says_has_a_type(
    mac: Mac, fault: Exception, loading: Any, compiling: Any
) -> None:
    damaged = ModelDamaged(str(mac.package), "not Core ML")
    mac.world.faults["load"] = fault
    error = refused(lambda: mac.call(mac.runtime.open, mac.package, Units.CPU))
    assert error == (damaged if loading == "damaged" else loading)
    if compiling is not None:
        mac.world.faults["compile"] = fault
        os.utime(mac.package / ABOUT, (1, 1))
        error = refused(lambda: mac.call(mac.runtime.compile, mac.package))
        assert error == (damaged if compiling == "damaged" else compiling)


def test_the_memory_of_inputs_may_be_refused(mac: Mac) -> None:
    mac.world.no_memory = True
    features(mac, {"x": ((3, 5), "float16")}, {})
    error = refused(lambda: mac.call(mac.runtime.open, mac.package, Units.CPU))
    assert error == OutOfMemory(30)


def test_a_provider_may_be_refused(mac: Mac) -> None:
    mac.world.no_provider = True
    error = refused(lambda: mac.call(mac.runtime.open, mac.package, Units.CPU))
    assert error == PredictionFailed("unet", "no provider today")


@pytest.mark.parametrize("dtype", ["", "float64"])
def test_what_is_no_array_of_known_numbers_is_refused(mac: Mac, dtype: str) -> None:
    features(mac, {"x": ((3,), dtype)}, {})
    error = refused(lambda: mac.call(mac.runtime.open, mac.package, Units.CPU))
    assert error == ModelUnsupported(str(mac.package), "x is no array of numbers")


# --- predicting -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_numbers_go_in_and_come_out_in_their_own_type(mac: Mac, dtype: str) -> None:
    features(mac, {"x": ((2, 3), dtype)}, {"y": ((2, 3), dtype)})
    mac.models.answers["y"] = np.arange(6).reshape(2, 3).astype(dtype)

    answer = mac.predict()["y"]

    assert answer.dtype == np.float32
    assert answer.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_output_need_not_say_its_shape(mac: Mac) -> None:
    features(mac, {"x": ((2, 3), "float16")}, {"y": ((), "float16")})
    assert np.array_equal(mac.predict()["y"], computed(mac.values, (2, 3), "float16"))


def test_numbers_out_of_range_go_in_as_infinity(mac: Mac) -> None:
    features(mac, {"x": ((2,), "float16"), "n": ((1,), "int32")}, {"y": ((2,), "float32")})
    seen: list[Any] = []
    mac.models.answer = lambda *given: (
        seen.append(given[3]["x"].tolist())
        or {  # type: ignore
            "y": np.zeros(2, np.float32)
        }
    )
    mac.predict(x=np.array([1e9, -1e9]), n=np.array([np.nan]))
    assert seen == [[np.inf, -np.inf]]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        np.zeros((2, 4, 8, 9), np.float16),
        np.zeros((2, 4, 8, 8), np.float64),
    ],
)
def test_another_answer_than_declared_is_refused(mac: Mac, answer: Any) -> None:
    mac.models.answers["noise_pred"] = answer
    assert refused(mac.predict) == PredictionFailed("unet", "output")


def test_an_answer_that_does_not_come_is_refused(mac: Mac) -> None:
    mac.models.answer = lambda *_: {}  # type: ignore[method-assign]
    assert refused(mac.predict) == PredictionFailed("unet", "output")


@pytest.mark.parametrize("fault", [SAID, Thrown("in so many words")])
def test_a_prediction_may_fail_and_the_next_go_well(mac: Mac, fault: Exception) -> None:
    model = mac.call(mac.runtime.open, mac.package, Units.CPU)
    mac.world.faults["predict"] = fault
    error = refused(lambda: mac.call(model.predict, mac.values))
    mac.world.faults.clear()

    assert error == PredictionFailed("unet", "in so many words")
    assert set(mac.call(model.predict, mac.values)) == {"noise_pred"}
    mac.call(model.close)


def test_the_part_is_named(mac: Mac) -> None:
    mac.package = mac.package.rename(mac.package.with_name("VAEDecoder.mlpackage"))
    mac.world.faults["predict"] = SAID
    assert refused(mac.predict) == PredictionFailed("vae_decoder", "in so many words")


def test_inputs_are_allocated_once(mac: Mac) -> None:
    model = mac.call(mac.runtime.open, mac.package, Units.CPU)
    mac.call(model.predict, mac.values)
    mac.world.sent.clear()

    mac.call(model.predict, mac.values)

    assert mac.world.sent.count("-initWithShape:dataType:error:") == 1  # Core ML's own, the answer
    assert "+featureValueWithMultiArray:" in mac.world.sent  # and its
    assert mac.world.sent.count("+dictionary") == 0
    mac.call(model.close)


def test_a_closed_model_is_freed(mac: Mac) -> None:
    model = mac.call(mac.runtime.open, mac.package, Units.CPU)
    mac.call(model.predict, mac.values)
    gc.collect()
    assert len(mac.world.living) == 1
    assert mac.world.arrays_alive() == len(mac.values)
    mac.world.dangling.clear()

    mac.call(model.close)

    gc.collect()
    assert len(mac.world.living) == 0
    assert mac.world.arrays_alive() == 0
    assert mac.world.dangling == []


# --- the compute plan -----------------------------------------------------------------------

ANE, GPU, CPU = "MLNeuralEngineComputeDevice", "MLGPUComputeDevice", "MLCPUComputeDevice"


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([(ANE, 0.6), (GPU, 0.3), (CPU, 0.1), (None, None)], Shares(0.6, 0.3, 0.1)),
        ([(ANE, 3.0), (CPU, 1.0), (CPU, None), ("", 5.0), (None, 4.0)], Shares(0.75, 0.0, 0.25)),
        ([(ANE, 0.0), (GPU, 0.0), (GPU, 0.0), (CPU, None)], Shares(0.25, 0.5, 0.25)),
        ([(None, None)], None),
        ([], None),
    ],
)
def test_shares_of_the_work(mac: Mac, operations: Any, expected: Shares | None) -> None:
    mac.world.plan = {"main": operations}

    found = mac.call(mac.runtime.plan, mac.package, Units.CPU_AND_NEURAL_ENGINE)

    place = mac.call(mac.runtime.compile, mac.package)
    assert mac.world.planned == [(place, 3, "")]
    if expected is None:
        assert found is None
    else:
        assert (found.neural_engine, found.gpu, found.cpu) == pytest.approx(
            (expected.neural_engine, expected.gpu, expected.cpu)
        )


@pytest.mark.parametrize("plan", [None, {}, {"other": [(ANE, 1.0)]}])
def test_there_may_be_no_plan(mac: Mac, plan: Any) -> None:
    mac.world.plan = plan
    assert mac.call(mac.runtime.plan, mac.package, Units.CPU) is None


def test_a_plan_is_of_the_function(mac: Mac) -> None:
    mac.world.plan = {"main": [(CPU, 1.0)], "wide": [(ANE, 1.0)]}
    found = mac.call(mac.runtime.plan, mac.package, Units.CPU, "wide")
    assert found == Shares(1.0, 0.0, 0.0)
    assert mac.world.planned[0][2] == "wide"


def test_a_plan_that_never_comes_is_not_waited_for(mac: Mac) -> None:
    mac.world.plan, mac.world.plan_in_time = {"main": [(CPU, 1.0)]}, False

    def work() -> Shares | None:
        with mac.world.bridge.asking("unet"):
            url = mac.world.bridge.url(mac.package)
            how = mac.world.bridge.coreml.MLModelConfiguration.alloc().init()
            return compute_plan.shares(mac.world.bridge, url, how, "main", wait_s=0.01)

    assert mac.call(work) is None


def test_there_is_no_plan_before_macos_14_4(tmp_path: Path) -> None:
    world = World(TinyModels(), tmp_path, macos=(14, 3), plan={"main": [(CPU, 1.0)]})
    with worker() as call:
        mac = Mac(world, tmp_path, call)
        assert call(mac.runtime.plan, mac.package, Units.CPU) is None


# --- the modules ----------------------------------------------------------------------------


def test_the_modules_of_this_mac_are_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {name: ModuleType(name) for name in ("CoreML", "Foundation", "objc")}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert bridge_of_this_mac() == Bridge(*modules.values())


@pytest.mark.parametrize("missing", ["CoreML", "Foundation", "objc"])
def test_elsewhere_there_is_no_core_ml(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CoreML", "Foundation", "objc"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, missing, None)
    assert refused(bridge_of_this_mac) == PlacementUnavailable("Core ML", "there is none")
