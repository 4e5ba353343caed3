"""Stand-ins for missing libraries are told from real classes."""

from __future__ import annotations

import pytest

from app.core.errors import ProgramIncomplete
from app.engine.contract import Engine
from app.engine.torch import installed
from app.engine.torch.installed import USED, make_checked, not_real
from tests.engine.numpy_engine import make_numpy_engine


def test_all_that_easel_draws_with_is_real_here() -> None:
    assert not_real(USED) == ()
    engine = make_checked(make_numpy_engine)
    assert engine.placements()
    engine.close()


def test_a_stand_in_and_what_is_not_there_are_named() -> None:
    """onnxruntime is not installed, so diffusers has a stand-in for what needs it."""
    asked = (
        ("diffusers", "OnnxStableDiffusionPipeline"),
        ("diffusers", "NoSuchPipeline"),
        ("no_such_library", "Anything"),
        ("transformers", "CLIPTextModel"),
    )
    assert not_real(asked) == (
        "diffusers.OnnxStableDiffusionPipeline",
        "diffusers.NoSuchPipeline",
        "no_such_library.Anything",
    )


def test_no_engine_is_made_of_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> Engine:
        raise AssertionError("made")

    monkeypatch.setattr(installed, "USED", (("diffusers", "OnnxStableDiffusionPipeline"),))
    with pytest.raises(ProgramIncomplete) as caught:
        make_checked(never)
    assert caught.value.missing == ("diffusers.OnnxStableDiffusionPipeline",)
