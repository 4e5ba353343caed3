"""The colours of both looks can be read on the grounds they are used on."""

from __future__ import annotations

import pytest

from app.ui.tokens import DARK, LIGHT, Tokens, contrast

GROUNDS = ("window", "surface", "sunken", "canvas")


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
class TestContrast:
    @pytest.mark.parametrize("ground", GROUNDS)
    @pytest.mark.parametrize("words", ["text", "dim", "link", "warn", "bad", "good"])
    def test_words_can_be_read_on_every_ground(
        self, tokens: Tokens, words: str, ground: str
    ) -> None:
        assert contrast(getattr(tokens, words), getattr(tokens, ground)) >= 4.5

    @pytest.mark.parametrize("ground", ["window", "surface", "sunken"])
    def test_the_faintest_words_can_be_read(self, tokens: Tokens, ground: str) -> None:
        assert contrast(tokens.faint, getattr(tokens, ground)) >= 4.5

    def test_words_on_the_accent_and_on_what_is_chosen_can_be_read(self, tokens: Tokens) -> None:
        assert contrast(tokens.on_accent, tokens.accent) >= 4.5
        assert contrast(tokens.text, tokens.soft) >= 4.5

    def test_the_accent_stands_out_as_a_shape(self, tokens: Tokens) -> None:
        for ground in GROUNDS:
            assert contrast(tokens.accent, getattr(tokens, ground)) >= 3.0


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == pytest.approx(1.0)
