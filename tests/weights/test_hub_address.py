"""What a person pastes to name a model, and what that is not."""

from __future__ import annotations

import pytest

from app.core.errors import CardProblem
from app.weights.hub_address import named_by, page


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("org/name", ("org/name", "")),
        ("  org/name/ ", ("org/name", "")),
        ("https://huggingface.co/org/name", ("org/name", "")),
        ("http://www.huggingface.co/org/name/?library=diffusers#files", ("org/name", "")),
        ("<https://huggingface.co/org/name/tree/main>", ("org/name", "main")),
        ("huggingface.co/org/name/blob/fp16/unet/config.json", ("org/name", "fp16")),
        ("hf.co/org/name", ("org/name", "")),
        ("https://huggingface.co/org/name/resolve/refs%2Fpr%2F1/a", ("org/name", "refs/pr/1")),
        ("http://127.0.0.1:8080/org/name", ("org/name", "")),
        ("apples", ("apples", "")),  # no name, as ``naming`` will say
        ("../../etc/passwd", ("../../etc/passwd", "")),
        ("", ("", "")),
    ],
)
def test_a_name_or_an_address_is_understood(text: str, named: tuple[str, str]) -> None:
    assert named_by(text, "127.0.0.1:8080") == named


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/org/name",
        "https://huggingface.co.evil.example/org/name",
        "https://huggingface.co@evil.example/org/name",
        "file:///etc/passwd",
        "https://[::1/org/name",
        "https://huggingface.co/",
        "https://huggingface.co/org",
        "https://huggingface.co/datasets/org/name",
        "https://huggingface.co/spaces/org/name",
        "http://127.0.0.1:9999/org/name",
    ],
)
def test_another_address_is_refused(text: str) -> None:
    with pytest.raises(CardProblem):
        named_by(text, "127.0.0.1:8080")


def test_the_page_is_on_the_site_that_is_asked() -> None:
    assert page("https://mirror.example/", "org/name") == "https://mirror.example/org/name"
