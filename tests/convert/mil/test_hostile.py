"""Any byte of a package may be another one: it is opened and answers, or says what is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.convert.mil.package import MANIFEST
from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import Units
from app.core.errors import EaselError
from tests.convert.mil.programs import model_file, numbers, weight_file, write

WEIGHT = numbers(4, 3, 3, 3, seed=1).numpy()


def body(mb: Any, a: Any) -> Any:
    """Of each kind of operation one, with few numbers, so that most bytes mean something."""
    y = mb.conv(x=a, weight=WEIGHT, pad_type="custom", pad=[1, 1, 1, 1])
    y = mb.layer_norm(x=y, axes=[1], gamma=WEIGHT.ravel()[:4], beta=WEIGHT.ravel()[4:8])
    first, second = mb.split(x=mb.gelu(x=y, mode="EXACT"), num_splits=2, axis=1)
    y = mb.concat(values=[mb.softmax(x=first, axis=-1), second], axis=1)
    y = mb.slice_by_index(x=y, begin=[0, 1, 0, 0], end=[1, 4, 4, 4])
    y = mb.gather(x=mb.pad(x=y, pad=[1, 1]), indices=np.int32([2, 0]), axis=1)
    return mb.tile(x=mb.reduce_mean(x=y, axes=[2, 3]), reps=[2, 1], name="y")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    return write(folder / "Unet.mlpackage", body, [(1, 3, 4, 4)])


FILES = {"model": model_file, "weights": weight_file, "manifest": lambda p: p / MANIFEST}
GIVEN = {"a": numbers(1, 3, 4, 4, seed=2).numpy()}


def answered(package: Path) -> bool:
    """Whether it was opened and answered; False where it was refused, in our own words."""
    try:
        model = InterpretedRuntime().open(package, Units.ALL)
        model.predict(GIVEN if set(model.inputs) == {"a"} else {})
    except EaselError:
        return False
    return True


def test_it_answers_as_it_is(package: Path) -> None:
    assert answered(package)


@pytest.mark.parametrize("file", FILES)
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_byte(package: Path, tmp_path: Path, file: str, data: st.DataObject) -> None:
    changed = tmp_path / "Unet.mlpackage"
    shutil.rmtree(changed, ignore_errors=True)
    shutil.copytree(package, changed)
    content = bytearray(FILES[file](changed).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    FILES[file](changed).write_bytes(content)

    answered(changed)


@pytest.mark.parametrize("file", FILES)
@given(share=st.floats(0, 0.99))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_ends_early(package: Path, tmp_path: Path, file: str, share: float) -> None:
    changed = tmp_path / "Unet.mlpackage"
    shutil.rmtree(changed, ignore_errors=True)
    shutil.copytree(package, changed)
    content = FILES[file](changed).read_bytes()
    FILES[file](changed).write_bytes(content[: int(share * len(content))])

    assert not answered(changed)


def test_nothing_is_said_and_nothing_of_the_converter_is_used(package: Path) -> None:
    """In an interpreter of its own, where any warning is an error. Reading and running the package
    asks coremltools for the protobuf's definitions alone."""
    code = f"""
import sys
from pathlib import Path
import numpy
from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import Units
from app.convert.mil.definitions import parse_model
parse_model(b"", "")
import coremltools
def refused(*_, **__):
    raise AssertionError("the converter was asked")
for name in ("models.MLModel", "models.utils.load_spec", "converters.convert",
             "converters.mil.frontend.milproto.load.load"):
    module, _, function = name.rpartition(".")
    __import__("coremltools." + module)
    setattr(sys.modules["coremltools." + module], function, refused)
model = InterpretedRuntime().open(Path({str(package)!r}), Units.ALL)
model.predict({{"a": numpy.zeros((1, 3, 4, 4))}})
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": ".", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
