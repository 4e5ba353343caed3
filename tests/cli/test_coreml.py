"""What the commands say of Core ML, on a Mac of make-believe and where there is none."""

from __future__ import annotations

import functools
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import coreml
from app.cli.checks import Checks
from app.cli.coreml import CoreMLSystem
from app.cli.terminal import Terminal
from app.core.mac import Mac
from app.core.model import Model
from app.engine.coreml.model import read_coreml_model
from tests.engine.coreml.tiny_models import standin, tiny_folder

AIR = Mac("Apple M1", 4, 7, 8 * 2**30, (14, 5), "23F79")


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return read_coreml_model(tiny_folder(tmp_path / "model"))


def said(
    work: Callable[[Checks, CoreMLSystem, list[Model]], None],
    root: Path,
    models: list[Model],
    mac: Mac | None = AIR,
    how: str = "",
) -> tuple[int, dict[str, Any]]:
    """Exit code, and (ok, detail) by name."""
    out = io.StringIO()
    factory = functools.partial(standin, root / "cache", how, plan=True)
    checks = Checks(Terminal(out, io.StringIO(), as_json=True))
    work(checks, CoreMLSystem(mac, factory, root / "kept"), models)
    code = checks.finish("It")
    rows = json.loads(out.getvalue())["checks"]
    return code, {row["name"]: (row["ok"], row["detail"]) for row in rows}


@pytest.mark.skipif(sys.platform == "darwin", reason="it is here")
@pytest.mark.parametrize("verb", ["doctor", "selftest"])
def test_elsewhere_it_says_what_there_is_instead(verb: str, run: Any) -> None:
    ran = run(verb, "--coreml", "--json")
    assert ran.code == 0
    data = json.loads(ran.out)
    assert data["ok"]
    assert [row["name"] for row in data["checks"]] == ["Core ML", "The interpreter"]
    assert data["checks"][0]["detail"].startswith("not here: this is Linux")


def test_the_doctor_says_where_a_model_would_draw(model: Model, tmp_path: Path) -> None:
    code, rows = said(coreml.look, tmp_path, [model])
    assert code == 0
    assert rows["Chip"] == (None, "Apple M1")
    assert rows["macOS"] == (None, "14.5 (23F79)")
    assert rows["Best variant to convert"][1].startswith("split_einsum, 6 bits")
    assert rows["Tiny"] == (
        None,
        "draws on Core ML, Neural Engine, Core ML, GPU (decided by: chip)",
    )


def test_the_self_test_loads_each_model_twice_on_each_unit(model: Model, tmp_path: Path) -> None:
    code, rows = said(coreml.test, tmp_path, [model])
    assert code == 0
    for place in ("Core ML, Neural Engine", "Core ML, GPU"):
        for which in ("first", "second"):
            for part in ("unet", "text_encoder", "vae_decoder"):
                ok, detail = rows[f"Tiny, {place}, {which} time: {part}"]
                assert ok
                assert "cosine 1.0" in detail or "cosine 0.9999" in detail
                assert "94% on the Neural Engine" in detail


def test_what_a_unit_cannot_do_is_a_fault(model: Model, tmp_path: Path) -> None:
    code, rows = said(coreml.test, tmp_path, [model], how="nan")
    assert code == 1
    ok, detail = rows["Tiny, Core ML, Neural Engine, first time"]
    assert not ok
    assert "wrong answer" in detail


def test_without_a_model_there_is_nothing_to_test(tmp_path: Path) -> None:
    code, rows = said(coreml.test, tmp_path, [])
    assert code == 1
    assert rows["There is a Core ML model to test"] == (False, "")


def test_a_broken_folder_is_a_fault_of_the_doctor(model: Model, tmp_path: Path) -> None:
    (tmp_path / "model" / "coreml.json").write_text("{}", "utf-8")
    code, rows = said(coreml.look, tmp_path, [model])
    assert code == 1
    assert "damaged" in rows["Tiny"][1]
