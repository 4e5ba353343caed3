"""Words of one's own: vectors stand in the prompt where a word's would, and only there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.core.adapter import Adapter, pieces
from app.core.card import Kind
from app.core.errors import ModelDamaged, RecipeProblem
from app.core.events import Finished, Pixels, Task
from app.core.model import Family, Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.prompt_tokens import TokenCounter
from app.engine.torch.embeddings import spoken
from app.engine.torch.engine import TorchEngine
from app.engine.torch.families import encode, pipelines_of
from app.engine.torch.loading import load_tokenizer
from tests.engine.conftest import TinyModel

WIDTH = 32


@pytest.fixture
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


def word(file: Path, tensors: dict[str, torch.Tensor], family: Family = Family.SD1) -> Adapter:
    save_file(tensors, file)
    vectors = max(len(t) if t.ndim == 2 else 1 for t in tensors.values())
    return Adapter(file.stem, file.stem, Kind.EMBEDDING, family, str(file), vectors)


def knowing(model: Model, *words: Adapter) -> Model:
    return dataclasses.replace(model, adapters=words)


def drawn(engine: TorchEngine, model: Model, prompt: str, negative: str = "") -> Pixels:
    side = max(64, model.limits.min_side)
    recipe = Recipe(
        prompt, model.id, Size(side, side), 1, 4.0, 1, Scheduler.EULER, negative_prompt=negative
    )
    ending = engine.draw(Task("job", recipe, model, Placement.CPU), lambda _: None, lambda: False)
    assert isinstance(ending, Finished)
    return ending.pixels


def vector_of(model: Model, text: str, encoder: str = "text_encoder") -> torch.Tensor:
    """The vectors that the model itself has for ``text``, one a token."""
    tokenizer = load_tokenizer(Path(model.folder), encoder.replace("text_encoder", "tokenizer"))
    ids = tokenizer(text, add_special_tokens=False).input_ids
    state = load_file(Path(model.folder) / encoder / "model.safetensors")
    table = next(t for name, t in state.items() if name.endswith("token_embedding.weight"))
    return table[torch.tensor(ids)].clone()


@pytest.mark.parametrize("key", ["emb_params", "<my-thing>"])
def test_a_word_with_the_vectors_of_a_phrase_draws_what_the_phrase_draws(
    key: str, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    mine = word(tmp_path / "zebu.safetensors", {key: vector_of(model, "apple dog")})
    taught = knowing(model, mine)
    said = drawn(engine, taught, "a red ZEBU, the house", "a zebu")
    assert said == drawn(engine, model, "a red apple dog, the house", "a apple dog")
    assert said != drawn(engine, model, "a red zebu, the house", "a zebu"), "unknown to others"


def test_both_text_encoders_of_sdxl_learn_it(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sdxl")
    vectors = {
        "clip_l": vector_of(model, "apple dog"),
        "clip_g": vector_of(model, "apple dog", "text_encoder_2"),
    }
    taught = knowing(model, word(tmp_path / "zebu.safetensors", vectors, Family.SDXL))
    said = drawn(engine, taught, "a zebu", "blue zebu")
    assert said == drawn(engine, model, "a apple dog", "blue apple dog")


def test_nothing_of_it_stays_in_the_networks(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    mine = word(tmp_path / "zebu.safetensors", {"emb_params": torch.randn(3, WIDTH)})
    plain = drawn(engine, model, "a zebu")
    assert engine._networks is not None
    encoder = engine._networks._loaded["text_encoder"]
    table = encoder.get_input_embeddings()
    before = table.weight.clone()
    assert drawn(engine, knowing(model, mine), "a zebu") != plain
    assert engine._networks._loaded["text_encoder"] is encoder, "not even loaded again"
    assert encoder.get_input_embeddings() is table
    assert torch.equal(table.weight, before)
    assert drawn(engine, model, "a zebu") == plain


def test_a_long_prompt_is_cut_where_the_counter_says(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    mine = word(tmp_path / "zebu.safetensors", {"emb_params": torch.randn(8, WIDTH)})
    taught = knowing(model, mine)
    counter = TokenCounter(taught)
    text = "a red apple zebu " * 9 + "the blue house " * 9
    assert counter.count("a red apple zebu") == 3 + 8
    assert counter.count(text) == 9 * 11 + 9 * 3
    cut = counter.cut_at(text)
    assert cut is not None
    assert text[cut:].startswith("zebu"), "75 tokens: the seventh zebu has room for 6 of 8"
    assert TokenCounter(model).count(text) != counter.count(text)
    room = text[:cut]
    assert counter.cut_at(room) is None
    assert drawn(engine, taught, text) == drawn(engine, taught, text + "a yellow dog")


def test_a_prompt_without_the_word_is_read_as_ever(tiny_model: TinyModel, tmp_path: Path) -> None:
    """Also by the tokenizer that knows it: padding, marks and length are the model's own."""
    model = tiny_model("sd1")
    from transformers import CLIPTextModel

    mine = word(tmp_path / "zebu.safetensors", {"emb_params": torch.randn(2, WIDTH)})
    parts = {
        "tokenizer": load_tokenizer(Path(model.folder), "tokenizer"),
        "text_encoder": CLIPTextModel.from_pretrained(f"{model.folder}/text_encoder").eval(),
    }
    pipelines = pipelines_of(Family.SD1)
    for prompt in ("a red apple, the dog", "word " * 200, "zebus azebu zebu-like \u00e9"):
        with torch.inference_mode():
            plain = encode(pipelines, parts, prompt, "blue", True)
            with spoken(parts, (mine,)) as taught:
                known = encode(pipelines, taught, prompt, "blue", True)
        for name, tensor in plain.arguments.items():
            assert torch.equal(tensor, known.arguments[name])


@pytest.mark.parametrize(
    ("tensors", "error"),
    [
        ({"emb_params": torch.randn(2, 31)}, RecipeProblem),
        ({"clip_l": torch.randn(2, 31), "clip_g": torch.randn(2, 31)}, RecipeProblem),
        ({"a": torch.randn(2, WIDTH), "b": torch.randn(2, WIDTH)}, RecipeProblem),
        ({"emb_params": torch.full((2, WIDTH), float("nan"))}, ModelDamaged),
    ],
    ids=["width", "SDXL", "two", "NaN"],
)
def test_one_that_does_not_fit_is_named_by_its_word(
    tensors: dict[str, torch.Tensor],
    error: type[Exception],
    engine: TorchEngine,
    tiny_model: TinyModel,
    tmp_path: Path,
) -> None:
    model = tiny_model("sd1")
    taught = knowing(model, word(tmp_path / "zebu.safetensors", tensors))
    with pytest.raises(error, match="zebu"):
        drawn(engine, taught, "a zebu")
    assert drawn(engine, taught, "a red apple"), "where the word is not used it does not matter"


def test_words_stand_alone_and_the_longest_counts() -> None:
    def embedding(id: str, title: str) -> Adapter:
        return Adapter(id, title, Kind.EMBEDDING, Family.SD1, f"/{id}", 1)

    short, long = embedding("ink", "ink"), embedding("ink-2", "ink (dark)")
    text = "Ink, inky pink-ink ink (dark); ink-2!"
    found = pieces(text, (short, long))
    assert "".join(piece.text for piece in found) == text
    assert [(p.text, p.embedding) for p in found if p.embedding] == [
        ("Ink", short),
        ("ink (dark)", long),
        ("ink-2", long),
    ]
    assert pieces("", (short,)) == ()
    assert [piece.text for piece in pieces(text, ())] == [text]
