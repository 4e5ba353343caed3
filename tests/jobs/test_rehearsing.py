"""What a self-test tries with children, and that it sees where that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs import rehearsing
from tests.jobs.wrong_children import liar, tampered


def test_a_deaf_child_is_gone() -> None:
    assert rehearsing.end_a_deaf_child()


def test_a_child_that_lives_on_is_seen() -> None:
    assert not rehearsing.end_a_deaf_child(liar)


def test_where_nobody_draws_nobody_is_lost() -> None:
    assert rehearsing.lose_engines() == 0


@pytest.mark.slow
def test_the_toy_answers_as_torch_does(tmp_path: Path) -> None:
    (found,) = rehearsing.convert_toy(tmp_path)
    assert found.holds
    assert 50 < found.psnr < 100


@pytest.mark.slow
def test_the_bytes_of_the_package_are_what_runs(tmp_path: Path) -> None:
    (found,) = rehearsing.convert_toy(tmp_path, tampered)
    assert not found.holds
