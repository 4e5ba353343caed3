"""Every bench once, with the tiny model: that it measures, not how fast anything is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.bench.command import BENCHES, parse, setting_of
from app.bench.setting import Setting
from app.engine.model_folder import read_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def setting(models: Path) -> Setting:
    return setting_of(parse(["--tiny", "--pairs", "1", "--models", str(models)]))


def test_the_built_model_is_one_that_easel_reads_and_is_built_once(setting: Setting) -> None:
    folder = setting.model()
    written = (folder / "model_index.json").stat().st_mtime_ns
    assert read_model(folder).limits.max_tokens == 75
    assert setting.model() == folder
    assert (folder / "model_index.json").stat().st_mtime_ns == written
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    "bench", ["startup", "first-picture", "overhead", "load", "memory", "ui", "png", "gallery"]
)
def test_a_bench_measures_both_sides(bench: str, setting: Setting) -> None:
    findings = BENCHES[bench](setting)
    assert findings
    for finding in findings:
        assert finding.judged is not None
        assert finding.ours
        assert all(value >= 0 for value in (*finding.ours, *finding.peer)) or bench == "ui"
    if bench in ("first-picture", "overhead", "load", "memory", "png"):
        assert all(finding.peer for finding in findings)
        assert all(finding.met is None for finding in findings)  # a tiny model holds no target


@pytest.mark.loopback
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_download_bench_measures_both_sides(setting: Setting) -> None:
    findings = BENCHES["download"](setting)
    assert len(findings) == 3
    assert all(finding.ours and finding.peer for finding in findings)
    assert not list(setting.models.glob(".download-*"))


def test_the_peer_alone_is_measured_without_easels_side(models: Path) -> None:
    setting = setting_of(parse(["--tiny", "--pairs", "1", "--models", str(models), "--peer"]))
    for finding in BENCHES["load"](setting):
        assert finding.ours == ()
        assert finding.peer[0] > 0
        assert finding.judged is None
