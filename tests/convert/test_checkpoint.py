"""Checkpoints with what the official one holds beside its tensors, and nothing more than that."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from pathlib import Path

import numpy
import pytest
import torch

from app.convert.checkpoint import STAND_INS, open_checkpoint
from app.core.errors import ImportRefused

LIGHTNING = "pytorch_lightning.callbacks.model_checkpoint"


def lightning_class(name: str) -> type:
    """A class that pickles as Lightning's ``name`` of the same module."""
    return type(name, (), {"__module__": LIGHTNING})


def training_state(callback: type) -> dict[str, object]:
    """What Lightning 1.4 saved beside the weights: sd-v1-4.ckpt has these keys and types."""
    return {
        "epoch": 6,
        "global_step": 470_000,
        "pytorch-lightning_version": "1.4.2",
        "state_dict": {"w": torch.arange(6.0).reshape(2, 3), "half": torch.ones(2).half()},
        "callbacks": {
            callback: {
                "monitor": "val/loss_simple_ema",
                "best_model_score": numpy.float64(0.147),
                "best_model_path": "",
                "current_score": numpy.float32(0.2),
                "dirpath": "/logs",
            }
        },
        "optimizer_states": [],
        "lr_schedulers": [{"last_epoch": numpy.int64(470_000), "_last_lr": [1e-4]}],
    }


def saved(file: Path, callback: type, old_numpy: bool = True) -> Path:
    """Saved by torch, with the names that numpy 1.x had for what numpy 2.x writes."""
    with pytest.MonkeyPatch.context() as patch:
        module = types.ModuleType(LIGHTNING)
        setattr(module, callback.__name__, callback)
        for package in ("pytorch_lightning", "pytorch_lightning.callbacks"):
            patch.setitem(sys.modules, package, types.ModuleType(package))
        patch.setitem(sys.modules, LIGHTNING, module)
        stream = io.BytesIO()
        torch.save(training_state(callback), stream)
    with zipfile.ZipFile(stream) as archive, zipfile.ZipFile(file, "w") as copy:
        for member in archive.infolist():
            data = archive.read(member)
            if member.filename.endswith("data.pkl") and old_numpy:
                data = data.replace(b"cnumpy._core.", b"cnumpy.core.")
                assert b"cnumpy.core.multiarray\nscalar" in data
                assert f"c{LIGHTNING}\n{callback.__name__}".encode() in data
            copy.writestr(member.filename, data)
    return file


@pytest.mark.parametrize("old_numpy", [True, False])
def test_the_official_checkpoint_s_objects_are_let_in_and_do_nothing(
    old_numpy: bool, tmp_path: Path
) -> None:
    file = saved(tmp_path / "sd-v1-4.ckpt", lightning_class("ModelCheckpoint"), old_numpy)
    with pytest.raises(pickle.UnpicklingError):  # torch by itself would not
        torch.load(file, weights_only=True)

    tensors = open_checkpoint(file)

    assert dict(tensors.shapes) == {"w": (2, 3), "half": (2,)}
    assert torch.equal(tensors.read("w"), torch.arange(6.0).reshape(2, 3))
    assert LIGHTNING not in sys.modules


def test_another_class_of_the_same_module_is_not(tmp_path: Path) -> None:
    file = saved(tmp_path / "x.ckpt", lightning_class("OtherCheckpoint"))
    with pytest.raises(ImportRefused) as caught:
        open_checkpoint(file)
    assert caught.value == ImportRefused(str(file), "unknown objects")


def test_a_numpy_scalar_among_the_tensors_is_not(tmp_path: Path) -> None:
    file = tmp_path / "x.ckpt"
    torch.save({"state_dict": {"w": numpy.float64(1.0)}}, file)
    with pytest.raises(ImportRefused) as caught:
        open_checkpoint(file)
    assert caught.value == ImportRefused(str(file), "unknown objects")


def test_tensors_that_share_a_block_are_taken_apart(tmp_path: Path) -> None:
    flat = torch.arange(12.0)
    file = tmp_path / "x.ckpt"
    torch.save({"a": flat[:6].view(2, 3), "b": flat[6:], "turned": flat.view(3, 4).T}, file)

    tensors = open_checkpoint(file)

    assert torch.equal(tensors.read("b"), flat[6:])
    assert torch.equal(tensors.read("turned"), flat.view(3, 4).T)
    assert tensors.read("a").untyped_storage().nbytes() == 24


def test_the_stand_ins_are_let_in_only_while_it_loads(tmp_path: Path) -> None:
    file = saved(tmp_path / "sd-v1-4.ckpt", lightning_class("ModelCheckpoint"))
    open_checkpoint(file)
    left = torch.serialization.get_safe_globals()
    assert not [one for one in left if one in STAND_INS or one in dict(STAND_INS)]
