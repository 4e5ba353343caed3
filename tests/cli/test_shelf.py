"""From an empty folder to a model that draws, by commands alone: licence, download, check, mend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from app.cli import main
from app.compose import Easel, compose
from app.weights.licences import licence
from tests.cli.conftest import Ran
from tests.convert.conftest import tiny_resources, tiny_source
from tests.convert.ldm_layout import single_file
from tests.jobs.conftest import easel, files, hub
from tests.jobs.other_easel import start_other
from tests.jobs.shelves import easel_with_shelf
from tests.weights.hubs import FaultHub, fault_hub

pytestmark = pytest.mark.loopback
__all__ = ["easel", "files", "hub", "tiny_resources", "tiny_source"]  # fixtures of other rooms


@pytest.fixture
def sha256(easel: Easel) -> str:
    return licence(easel.folders.licences, "openrail-m").sha256


def test_the_shelf_lists_what_can_be_installed_and_asks_nobody(
    run: Callable[..., Ran], hub: FaultHub
) -> None:
    ran = run("models", "shelf")
    assert ran.code == 0
    assert "tiny  Tiny Diffusion" in ran.out
    (row,) = json.loads(run("models", "shelf", "--json").out)
    assert (row["id"], row["installed"]) == ("tiny", False)
    assert hub.log() == []


@pytest.mark.parametrize("flag", [(), ("--accept-licence", "0" * 64)])
def test_nothing_is_asked_of_the_hub_before_the_licence_is_accepted(
    run: Callable[..., Ran], hub: FaultHub, easel: Easel, sha256: str, flag: tuple[str, ...]
) -> None:
    ran = run("models", "get", "tiny", *flag)
    assert ran.code == 1
    assert "The licence has not been accepted." in ran.err
    assert sha256 in ran.err
    assert hub.log() == []
    assert easel.shelf.installed() == ()


def test_the_licence_can_be_read_whole(run: Callable[..., Ran]) -> None:
    ran = run("models", "licence", "tiny")
    assert ran.code == 0
    assert "CreativeML Open RAIL-M" in ran.out
    assert "Attachment A" in ran.out


def test_a_model_is_got_once_and_then_draws_with_the_hub_gone(
    run: Callable[..., Ran], hub: FaultHub, easel: Easel, sha256: str, tmp_path: Path
) -> None:
    ran = run("models", "get", "tiny", "--accept-licence", sha256)
    assert (ran.code, ran.out) == (0, "tiny\n"), ran.err
    asked = len(hub.log())
    # 1. It is here, with its receipt and the licence that was accepted
    (model,) = easel.shelf.installed()
    assert (model.folder / "LICENSE.txt").read_text("utf-8").startswith("Copyright (c) 2022")
    assert model.receipt.acceptance is not None
    assert model.receipt.acceptance.sha256 == sha256
    # 2. Every connection is written down
    rows = easel.shelf.ledger.connections()
    assert len(rows) == asked
    assert {row.host for row in rows} == {"127.0.0.1"}
    assert sum(row.received for row in rows) >= model.receipt.disk
    told = json.loads(run("doctor", "--connections", "--json").out)
    assert [row["why"] for row in told] == [row.why for row in rows]
    # 3. Getting it again asks nobody; drawing neither
    assert run("models", "get", "tiny").code == 0
    picture = tmp_path / "apple.png"
    drawn = run(
        "generate", "a red apple", "--model", "tiny", "--steps", "2", "--size", "128x128",
        "-o", str(picture),
    )  # fmt: skip
    assert drawn.code == 0, drawn.err
    assert picture.exists()
    assert len(hub.log()) == asked


def test_a_damaged_file_is_found_and_only_that_one_is_fetched_anew(
    run: Callable[..., Ran], hub: FaultHub, easel: Easel, sha256: str
) -> None:
    assert run("models", "get", "tiny", "--accept-licence", sha256).code == 0
    assert run("models", "check").code == 0
    (model,) = easel.shelf.installed()
    weights = model.folder / "unet" / "diffusion_pytorch_model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    asked = len(hub.log())

    ran = run("models", "check", "tiny")
    assert ran.code == 1
    assert "unet/diffusion_pytorch_model.safetensors" in ran.err
    assert len(hub.log()) == asked

    assert run("models", "check", "tiny", "--mend").code == 0
    assert weights.read_bytes() == good
    assert len(hub.log()) == asked + 1


def test_a_removed_model_is_gone(run: Callable[..., Ran], easel: Easel, sha256: str) -> None:
    assert run("models", "get", "tiny", "--accept-licence", sha256).code == 0
    assert run("models", "remove", "tiny").code == 0
    assert easel.shelf.installed() == ()
    assert [model.id for model in easel.models()] == ["starter"]
    ran = run("models", "remove", "tiny")
    assert ran.code == 1
    assert "The model is not there." in ran.err


def test_a_pack_takes_a_model_to_an_easel_that_never_goes_online(
    run: Callable[..., Ran], sha256: str, hub: FaultHub, tmp_path: Path
) -> None:
    assert run("models", "get", "tiny", "--accept-licence", sha256).code == 0
    ran = run("models", "export", "tiny", str(tmp_path / "tiny"))
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'tiny.easelpack'}\n")
    asked = len(hub.log())

    other = compose({"EASEL_HOME": str(tmp_path / "another")})

    def elsewhere(*argv: str) -> int:
        return main(("models", *argv), lambda: other)

    pack = str(tmp_path / "tiny.easelpack")
    assert elsewhere("import", pack) == 1
    assert other.shelf.installed() == ()
    assert elsewhere("import", pack, "--accept-licence", sha256) == 0
    (model,) = other.shelf.installed()
    assert model.receipt.origin == "pack"
    assert [one.id for one in other.models()] == ["starter", "tiny"]
    assert len(hub.log()) == asked


def test_a_single_file_is_brought_in_and_draws(
    run: Callable[..., Ran],
    easel: Easel,
    hub: FaultHub,
    tmp_path: Path,
    tiny_source: Callable[[str], Path],
    tiny_resources: Callable[[str], Path],
) -> None:
    resources = easel.folders.shipped / "resources"
    resources.unlink()
    resources.symlink_to(tiny_resources("sd1"))
    save_file(single_file("sd1", tiny_source("sd1")), tmp_path / "My Model.safetensors")

    ran = run("models", "import", str(tmp_path / "My Model.safetensors"))
    assert (ran.code, ran.out) == (0, "my-model\n"), ran.err
    picture = tmp_path / "apple.png"
    asked = ("--model", "my-model", "--steps", "2", "--size", "128x128", "-o", str(picture))
    assert run("generate", "a red apple", *asked).code == 0
    assert hub.log() == []


def test_a_file_that_is_no_model_is_refused_and_nothing_stays(
    run: Callable[..., Ran], easel: Easel, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.safetensors"
    letter.write_text("Dear reader, this is no model.")
    ran = run("models", "import", str(letter))
    assert ran.code == 1
    assert "The file cannot be brought in." in ran.err
    assert list(easel.folders.installed.glob("*")) == []


def test_what_this_computer_cannot_use_is_not_offered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = compose()
    real.core_ml = None  # as on every computer but a Mac
    ids = [card.id for card in real.shelf.cards()]
    assert "sd-1.5" in ids
    assert {"taesd", "lcm-lora-sd-1.5"} <= set(ids)
    assert "sd-1.5-coreml" not in ids
    assert main(("models", "get", "sd-1.5-coreml"), lambda: real) == 1
    assert "Apple silicon" in capsys.readouterr().err


def test_a_name_that_is_not_on_the_shelf_is_told(run: Callable[..., Ran]) -> None:
    ran = run("models", "get", "giant")
    assert ran.code == 1
    assert "there is no model of this name on the shelf" in ran.err
    assert "Traceback" not in ran.err


def test_a_hub_that_is_gone_is_told_and_what_came_is_kept(
    run: Callable[..., Ran], hub: FaultHub, easel: Easel, sha256: str
) -> None:
    hub.process.kill()
    hub.process.wait()
    ran = run("models", "get", "tiny", "--accept-licence", sha256)
    assert ran.code == 1
    assert "What has arrived is kept." in ran.err
    assert easel.shelf.installed() == ()


def test_another_easel_is_waited_for_with_a_line_that_says_so(
    easel_home: Path,
    tmp_path: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    largest = max(files, key=lambda path: len(files[path]))
    slow = {"do": "serve", "path": largest, "rate": len(files[largest]) / 3, "times": 1}
    with fault_hub(tmp_path / "slow", files, slow) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        easel.shelf.accept(easel.shelf.card("tiny"))
        with start_other(easel_home, hub) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "Transferring\n"
            assert main(("models", "get", "tiny"), lambda: easel) == 0
        printed = capsys.readouterr()
        assert "Another Easel works on this model." in printed.err
        assert printed.out == "tiny\n"
        asked = [entry["path"] for entry in hub.log()]
        assert len(asked) == len(set(asked)) == len(files)


def test_a_folder_for_models_that_is_gone_is_not_made_anew(
    run: Callable[..., Ran], sha256: str, tmp_path: Path, hub: FaultHub
) -> None:
    disk = tmp_path / "disk"
    assert run("models", "move", str(disk)).code == 0
    disk.rmdir()
    ran = run("models", "get", "tiny", "--accept-licence", sha256)
    assert ran.code == 1
    assert "The folder with your models is not there." in ran.err
    assert not disk.exists()
    assert hub.log() == []
