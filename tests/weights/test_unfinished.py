"""What interrupted downloads leave is found again, moved along and taken away, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.core.card import ModelCard
from app.core.errors import ModelInUse
from app.weights import receipts
from app.weights.alone import after_others, alone, is_held
from app.weights.events import OtherEasel
from app.weights.moving import copy_models
from app.weights.receipts import folder_of
from app.weights.unfinished import discard, unfinished
from tests.weights.hubs import card_for
from tests.weights.receipt_examples import LICENCE, RECEIPT, put_files

FILES = {"unet/a.safetensors": b"a" * 5000, "vae/b.safetensors": b"b" * 700, "index.json": b"{}"}
HOLD = "import sys; from pathlib import Path; from app.weights.alone import alone\n"
HOLD += "with alone(Path(sys.argv[1]), 'x'):\n    print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def card() -> ModelCard:
    return card_for(FILES)


@pytest.fixture
def begun(tmp_path: Path, card: ModelCard) -> Path:
    """One file whole, of another a part, the third not there."""
    folder = folder_of(tmp_path / "models", card.id, card.revision)
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "a.safetensors.part").write_bytes(b"a" * 1200)
    (folder / "index.json").write_bytes(b"{}")
    return folder


@pytest.fixture
def holder(begun: Path):  # type: ignore[no-untyped-def]
    """Another process that works on the model until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(begun.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_what_came_is_counted(tmp_path: Path, card: ModelCard, begun: Path) -> None:
    (found,) = unfinished(tmp_path / "models", [card, card_for(FILES, id="other")])
    assert (found.card, found.folder, found.done) == (card, begun, 1202)
    # Too many bytes are worth nothing, and a folder with a receipt is a model
    (begun / "unet" / "a.safetensors.part").write_bytes(b"a" * 6000)
    (begun / "index.json").unlink()
    assert unfinished(tmp_path / "models", [card]) == ()


def test_a_model_is_not_unfinished(tmp_path: Path) -> None:
    folder = put_files(folder_of(tmp_path, "tiny", "main"))
    receipts.write(folder, RECEIPT, LICENCE)
    card = card_for({file.path: b"" for file in RECEIPT.files}, files=RECEIPT.files)
    assert unfinished(tmp_path, [card]) == ()
    discard(folder)
    assert receipts.read(folder) == RECEIPT


def test_what_came_is_taken_away(tmp_path: Path, begun: Path) -> None:
    discard(begun)
    assert list((tmp_path / "models").iterdir()) == []
    discard(begun)


def test_what_came_moves_along(tmp_path: Path, card: ModelCard, begun: Path) -> None:
    found = unfinished(tmp_path / "models", [card])
    told = []
    assert copy_models((), tmp_path / "there", told.append, lambda: False, found)
    assert told[-1].done == told[-1].total == 1202
    (moved,) = unfinished(tmp_path / "there", [card])
    assert moved.done == 1202
    assert begun.exists()


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_stop_between_leaves_nothing_there(tmp_path: Path, card: ModelCard, after: int) -> None:
    folder = put_files(folder_of(tmp_path / "models", "another", "main"))
    receipts.write(folder, RECEIPT, LICENCE)
    model = receipts.Installed(folder, RECEIPT)
    told = []
    found = unfinished(tmp_path / "models", [card])
    stop = lambda: len(told) > after  # noqa: E731
    assert not copy_models((model,), tmp_path / "there", told.append, stop, found)
    assert list((tmp_path / "there").iterdir()) == []
    assert receipts.read(folder) == RECEIPT


def test_another_process_is_seen_and_waited_for(
    tmp_path: Path,
    card: ModelCard,
    begun: Path,
    holder: subprocess.Popen[str],
) -> None:
    # 1. Its model is in use, and not listed as interrupted
    assert is_held(begun.parent)
    assert unfinished(tmp_path / "models", [card]) == ()
    with pytest.raises(ModelInUse), alone(begun.parent, "Tiny"):
        pass
    # 2. Waiting is told once, and can be given up
    told: list[OtherEasel] = []
    glances = iter([False, False, True])
    with after_others(begun.parent, told.append, lambda: next(glances)) as ours:
        assert not ours
    assert told == [OtherEasel()]
    # 3. When it ends, however it ends, it is our turn
    holder.kill()
    with after_others(begun.parent, told.append, lambda: False) as ours:
        assert ours
        assert is_held(begun.parent)
    assert not is_held(begun.parent)


def test_a_folder_that_goes_while_it_is_waited_for_is_made_anew(tmp_path: Path) -> None:
    place = tmp_path / "tiny"
    with alone(place, "Tiny"):
        place.rmdir()
        with alone(place, "Tiny"):
            assert place.is_dir()
