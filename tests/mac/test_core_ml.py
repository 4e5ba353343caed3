"""Core ML itself: a network that was converted here answers on each unit as torch does."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.coreml_manifest import Units
from app.engine.coreml.bridge import bridge_of_this_mac
from app.engine.coreml.golden import LEAST, cosine, read_golden
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from app.jobs.rehearsing import convert_toy

pytestmark = pytest.mark.mac


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    convert_toy(folder)
    return folder


@pytest.mark.parametrize("units", list(Units))
def test_a_converted_network_answers_on_each_unit(toy: Path, units: Units, tmp_path: Path) -> None:
    from app.convert.coreml.toy import GOLDEN, PACKAGE

    asked, expected = read_golden(toy / GOLDEN)
    model = CoreMLRuntime(bridge_of_this_mac(), tmp_path).open(toy / PACKAGE, units)
    try:
        assert {name: spec.shape for name, spec in model.inputs.items()} == {
            name: value.shape for name, value in asked.items()
        }
        found = model.predict(asked)
        again = model.predict(asked)
    finally:
        model.close()

    assert found.keys() == expected.keys()
    assert cosine(found, expected) > LEAST[units]
    assert cosine(again, found) > LEAST[units]


def test_it_is_compiled_once(toy: Path, tmp_path: Path) -> None:
    from app.convert.coreml.toy import PACKAGE

    runtime = CoreMLRuntime(bridge_of_this_mac(), tmp_path)
    place = runtime.compile(toy / PACKAGE)
    made = place.stat().st_mtime_ns
    assert runtime.compile(toy / PACKAGE) == place
    assert place.stat().st_mtime_ns == made
