"""The self-test: it finds nothing where all is well, and each fault that is planted."""

from __future__ import annotations

import functools
import io
import json
import shutil
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from PIL import Image

from app.cli import bundle, selftest
from app.cli.checks import Checks
from app.cli.terminal import Terminal
from app.convert.coreml.verifying import Compared
from app.core.errors import ImportRefused
from app.core.events import Pixels
from app.core.model import ModelFormat
from app.engine.contract import EngineFactory
from app.jobs.session import Session
from app.library import picture_file
from app.library.copies import copy_to
from tests.cli.conftest import Run
from tests.cli.numpy_easel import NumpyEasel
from tests.cli.wrong_engines import Grey, Unsteady, cannot_start, steady

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("resources", "models/catalog", "models/starter/NOTICE.md", "LICENSE", "NOTICE")

Part = Callable[[Checks, NumpyEasel, Path], None]


def whole(home: Path, engine: EngineFactory = steady, *, in_child: bool = True) -> NumpyEasel:
    """A program with all that comes with it, to spoil."""
    easel = NumpyEasel(home, engine, in_child=in_child)
    for name in SHIPPED:
        there = easel.folders.shipped / name
        there.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, there)
    return easel


def failed(part: Part, easel: NumpyEasel, folder: Path) -> dict[str, str]:
    """The details of the lines that failed, by name."""
    out = io.StringIO()
    checks = Checks(Terminal(out, io.StringIO(), as_json=True))
    folder.mkdir()
    part(checks, easel, folder)
    code = checks.finish("It")
    lines = json.loads(out.getvalue())["checks"]
    assert lines
    found = {line["name"]: line["detail"] for line in lines if not line["ok"]}
    assert code == (1 if found else 0)
    return found


def test_it_draws_and_checks_every_part(run: Run, tmp_path: Path) -> None:
    data = json.loads(run("selftest", "--json", easel=whole(tmp_path / "whole")).out)
    lines = {line["name"]: line for line in data["checks"]}

    assert data["ok"], data
    assert len(lines) == len(data["checks"]) == 24
    converted = lines["A network is converted to Core ML, and its package runs"]
    assert converted["detail"].endswith(" dB")
    assert converted["seconds"] > 0.1


def test_a_line_for_people_has_no_time() -> None:
    out = io.StringIO()
    checks = Checks(Terminal(out, io.StringIO()))
    checks.attempt("One", lambda: "all right", lambda _: None)
    checks.attempt("Two", lambda: str(1 // 0), lambda _: Path("/logs/easel.log"))
    assert checks.finish("It") == 1
    assert out.getvalue().splitlines()[0] == "ok   One: all right"
    assert "/logs/easel.log" in out.getvalue()
    assert out.getvalue().endswith("It has found 1 fault.\n")


# --- drawing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "names"),
    [
        (steady, []),
        (
            Unsteady,
            ["The same seed gives the same picture", "The next picture is drawn after that"],
        ),
        (Grey, ["The picture has the size that was asked for", "The picture is not empty"]),
        (cannot_start, ["Drawing"]),
    ],
)
def test_an_engine_that_is_wrong(tmp_path: Path, engine: EngineFactory, names: list[str]) -> None:
    easel = whole(tmp_path / "home", engine)
    found = failed(selftest.draw, easel, tmp_path / "work")
    assert list(found) == names


def test_a_drawing_that_is_not_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "stop", lambda *_: None)
    easel = whole(tmp_path / "home")
    found = failed(selftest.draw, easel, tmp_path / "work")
    assert found == {"A drawing can be stopped": "It was drawn to its end all the same."}


def test_a_program_that_draws_in_its_own_process(tmp_path: Path) -> None:
    easel = whole(tmp_path / "home", in_child=False)
    found = failed(selftest.draw, easel, tmp_path / "work")
    assert found == {"The loss of a drawing process is noticed": "There is no process that draws."}


def test_the_starter_is_not_its_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is the first of the models on a Mac that has one."""
    easel = whole(tmp_path / "home")
    (model,) = easel.models()
    converted = replace(model, id="numpy.coreml-x", format=ModelFormat.COREML, folder="/gone")
    monkeypatch.setattr(easel, "models", lambda: (converted, model))
    assert failed(selftest.draw, easel, tmp_path / "work") == {}


# --- what came with it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("resources/configs/sdxl/unet/config.json", "The resources are here"),
        ("resources/configs/sd2/model_index.json", "The resources are here"),
        ("resources/configs/clip/merges.txt", "The resources are here"),
        ("resources/icon/easel.png", "The resources are here"),
        ("NOTICE", "Easel's licence and notices are here"),
        ("LICENSE", "Easel's licence and notices are here"),
        ("models/starter/NOTICE.md", "Easel's licence and notices are here"),
        ("resources/third-party/LGPL-3.0.txt", "Easel's licence and notices are here"),
        ("resources/licenses/CreativeML-OpenRAIL-M.txt", "The models' licences are here"),
        ("resources/models/taesd/config.json", "The catalogue can be read"),
        ("models/catalog/sd-1.5.toml", "The catalogue can be read"),
    ],
)
@pytest.mark.parametrize("spoil", ["missing", "empty"])
def test_what_is_missing_or_empty_is_named(
    tmp_path: Path, file: str, line: str, spoil: str
) -> None:
    easel = whole(tmp_path / "home")
    place = easel.folders.shipped / file
    place.write_bytes(b"") if spoil == "empty" else place.unlink()
    if (file, spoil) == ("models/catalog/sd-1.5.toml", "missing"):
        shutil.rmtree(place.parent)  # one card fewer is no fault

    found = failed(selftest.look_around, easel, tmp_path / "work")

    if (file, spoil) == ("resources/configs/clip/merges.txt", "empty"):
        assert list(found.values()) == [f"{place} is empty."]
    assert list(found) == [line]


def test_a_whole_program_lacks_nothing(tmp_path: Path) -> None:
    easel = whole(tmp_path / "home")
    assert failed(selftest.look_around, easel, tmp_path / "work") == {}


def test_a_system_without_certificates_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    nowhere = ssl.DefaultVerifyPaths(None, None, "", "/no/file", "", "/no/folder")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(httpcore2._ssl, "CA_FILE_CANDIDATES", [])
    monkeypatch.setattr("platform.system", lambda: "Linux")

    found = failed(selftest.look_around, whole(tmp_path / "home"), tmp_path / "work")

    assert list(found) == ["Certificates can be checked"]
    assert "ca-certificates" in found["Certificates can be checked"]


def test_certificates_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    found = failed(selftest.look_around, whole(tmp_path / "home"), tmp_path / "work")
    assert "SSL_CERT_FILE" in found["Certificates can be checked"]


# --- forms ----------------------------------------------------------------------------------


def _drawn(easel: NumpyEasel, folder: Path) -> selftest.Saved:
    checks = Checks(Terminal(io.StringIO(), io.StringIO()))
    return selftest._draw(checks, easel, easel.models()[0], folder)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> selftest.Saved:
    folder = tmp_path_factory.mktemp("drawn")
    return _drawn(NumpyEasel(folder / "home", steady), folder / "pictures")


def forms(drawn: selftest.Saved) -> Part:
    return lambda checks, easel, folder: selftest.check_forms(checks, easel, drawn, folder)


def test_each_form_holds_the_picture(
    tmp_path: Path, easel: NumpyEasel, drawn: selftest.Saved
) -> None:
    assert failed(forms(drawn), easel, tmp_path / "work") == {}


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_a_form_that_cannot_be_written(
    tmp_path: Path,
    easel: NumpyEasel,
    drawn: selftest.Saved,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    Image.init()
    monkeypatch.delitem(Image.SAVE, kind)
    found = failed(forms(drawn), easel, tmp_path / "work")
    assert [name.split()[0].upper() for name in found] == [kind]


def test_a_form_that_shows_something_else(
    tmp_path: Path, easel: NumpyEasel, drawn: selftest.Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = picture_file._coded

    def upside_down(pixels: Pixels, form: str, said: dict[str, Any]) -> bytes:
        turned = bytes(255 - value for value in pixels.rgb)
        return coded(Pixels(pixels.width, pixels.height, turned), form, said)

    monkeypatch.setattr(picture_file, "_coded", upside_down)
    found = failed(forms(drawn), easel, tmp_path / "work")
    assert len(found) == 3
    assert all("another one" in detail for detail in found.values())


def test_a_form_without_a_recipe(
    tmp_path: Path, easel: NumpyEasel, drawn: selftest.Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "copy_to", functools.partial(copy_to, bare=True))
    assert len(failed(forms(drawn), easel, tmp_path / "work")) == 4


# --- children -------------------------------------------------------------------------------


def _refused(_: Path) -> tuple[Compared, ...]:
    raise ImportRefused("toy", "damaged")


@pytest.mark.parametrize(
    "convert",
    [
        lambda _: (Compared("vae_decoder", "image", 3.0, 0.5),),
        lambda _: (),
        _refused,
    ],
)
def test_a_conversion_that_goes_wrong(
    tmp_path: Path, easel: NumpyEasel, monkeypatch: pytest.MonkeyPatch, convert: Any
) -> None:
    monkeypatch.setattr(bundle, "conversion", functools.partial(bundle.conversion, convert=convert))
    found = failed(selftest.try_children, easel, tmp_path / "work")
    assert list(found) == ["A network is converted to Core ML, and its package runs"]


def test_a_child_that_stays(
    tmp_path: Path, easel: NumpyEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "deaf_child", functools.partial(bundle.deaf_child, lambda: False))
    monkeypatch.setattr(bundle, "conversion", lambda _: "")
    found = failed(selftest.try_children, easel, tmp_path / "work")
    assert found == {"A child that does not listen is ended": "It is still there."}
