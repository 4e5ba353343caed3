"""Every error has words that a person who draws understands, and a next step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import errors
from app.core.errors import EaselError, FolderNotWritable, NoSpace, RecipeProblem
from app.core.events import PartlyUsed
from app.core.recipe import Draft, Size, Start
from app.core.resolve import resolve
from app.messages import (
    Message,
    describe,
    describe_fallback,
    describe_partly_used,
    shown,
    size_text,
)
from app.messages.coreml import trial_text
from app.messages.models import IMPORT_REASONS
from tests.library.examples import MODEL


def leaves(kind: type[EaselError] = EaselError) -> Iterator[type[EaselError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for child in below:
        if child.__module__ == errors.__name__:
            yield from leaves(child)


EXAMPLES: tuple[EaselError, ...] = (
    RecipeProblem("prompt", "", "text"),
    errors.ModelMissing("/models/a"),
    errors.ModelIncomplete("/models/a", ("unet/config.json",)),
    errors.ModelIncomplete("/models/a", ("a", "b", "c", "d", "e")),
    *(
        errors.ModelDamaged("/models/a/b.safetensors", reason)
        for reason in (
            "not safetensors",
            "truncated",
            "not JSON",
            "not finite",
            "mismatch",
            "not Core ML",
        )
    ),
    errors.ModelUnsupported("/models/a", "FluxPipeline"),
    *(
        errors.PictureUnreadable(file, reason)
        for file in ("/pictures/a.png", "")
        for reason in (
            "missing",
            "permission",
            "not a picture",
            "too large",
            "damaged",
            "no recipe",
        )
    ),
    *(
        errors.HubUnreachable("huggingface.co", reason)
        for reason in (
            "no connection",
            "name not found",
            "proxy",
            "broken off",
            "too slow",
            "HTTP 503",
        )
    ),
    *(errors.HubBusy("huggingface.co", seconds) for seconds in (45, 60, 150, 3600, 86400, 900_000)),
    errors.HubSilent("huggingface.co", 15.0),
    errors.LoginPage("huggingface.co"),
    *(
        errors.CertificateProblem("huggingface.co", reason)
        for reason in ("self-signed", "expired", "another name", "the library's own words")
    ),
    errors.UnsafeRedirect("huggingface.co", "http://example.org"),
    errors.UnsafeRedirect("huggingface.co", "too many"),
    *(errors.ModelWithdrawn("org/name", what) for what in ("repository", "revision", "a/b.json")),
    *(errors.AccessNeeded("org/name", why) for why in ("gated", "private", "token refused")),
    errors.ChecksumMismatch("unet/a.safetensors", "a" * 64, "b" * 64),
    errors.LicenceNotAccepted("creativeml-openrail-m", "c" * 64),
    *(errors.KeychainUnavailable(why) for why in ("none", "locked")),
    errors.CardProblem("org/name", "it names no file"),
    *(errors.ImportRefused("/files/a.ckpt", reason) for reason in IMPORT_REASONS),
    errors.ModelInUse("Stable Diffusion 1.5", "downloading"),
    errors.ModelsFolderGone("/Volumes/Big/Easel Models"),
    errors.OutOfMemory(),
    errors.OutOfMemory(3_200_000_000, 1_000_000_000),
    errors.EngineDied(-9),
    errors.EngineDied(-11),
    errors.EngineDied(1),
    errors.EngineUnresponsive(180.0),
    errors.PlacementUnavailable("MPS", "there is none"),
    *(
        errors.PredictionFailed("unet", reason)
        for reason in ("input", "output", "compile", "hang", "crash", "answer", "in its own words")
    ),
    errors.ConversionRefused("Anything", "size"),
    *(errors.NotFinite(stage) for stage in ("prompt", "denoising", "decoding")),
    errors.OffScale(157.0),
    errors.BlackResult(),
    errors.FlatResult("#808080"),
    *(
        FolderNotWritable("/pictures", reason)
        for reason in (
            "permission",
            "read-only",
            "not a folder",
            "a folder is in the way",
            "name too long",
            "name not allowed",
            "gone",
            "device busy",
        )
    ),
    NoSpace("/pictures", 345_678, 1200),
    errors.SettingsDamaged("/support/settings.json", "/support/settings.damaged.json"),
    errors.SettingsDamaged("/support/settings.json", ""),
    errors.SettingsTooNew("/support/settings.json", 2),
    *(
        errors.TemplateProblem("{colour}", reason)
        for reason in (
            "too long",
            "character",
            "braces",
            "placeholder",
            "empty name",
            "dot or space",
            "always the same",
        )
    ),
    *(
        errors.LibraryDamaged("index", "/support/index.sqlite3", kept)
        for kept in ("/support/i.damaged", "")
    ),
    errors.IndexTooNew("/support/index.sqlite3", 9),
    *(
        errors.LibraryDamaged("marks", "/support/marks.json", kept)
        for kept in ("/support/m.damaged", "")
    ),
    errors.AlreadyRunning(123),
    errors.ProgramIncomplete(("diffusers.PNDMScheduler",)),
    errors.Bug("Traceback (most recent call last):\n  boom\n"),
)

BAD_DRAFTS = (
    Draft(""),
    Draft("x" * 100_001),
    Draft("a", negative_prompt="x" * 100_001),
    Draft("a", size="wide"),
    Draft("a", size=Size(7, 7)),
    Draft("a", size="100000x8"),
    Draft("a", steps=0),
    Draft("a", guidance=0.0),
    Draft("a", guidance=float("inf")),
    Draft("a", seed=-1),
    Draft("a", seed=2**32),
    Draft("a", scheduler="magic"),
    Draft("a", count=0),
    Draft("a", start=Start("/a.png", "0" * 64, 0.0)),
)


def problems() -> tuple[RecipeProblem, ...]:
    found = []
    for draft in BAD_DRAFTS:
        with pytest.raises(RecipeProblem) as caught:
            resolve(draft, MODEL)
        found.append(caught.value)
    features = ("negative_prompt", "start", "mask", "loras")
    return (
        *found,
        *(RecipeProblem(field, "inpainting", "a model that can do this") for field in features),
        RecipeProblem("mask", "64x32", "same size as the start"),
        RecipeProblem("start", "a.txt", "readable picture"),
        RecipeProblem("model", "magic", "starter, sdxl"),
        RecipeProblem("model", "magic", ""),
        RecipeProblem("output", "a.tiff", ".png, .jpg or .webp"),
        RecipeProblem("steps", "many", "a whole number"),
        RecipeProblem("guidance", "much", "a number"),
        RecipeProblem("loras", "ink", "chalk, oil"),
        RecipeProblem("loras", "ink", "a LoRA for this kind of model"),
        RecipeProblem("loras", "ink", "a plain LoRA"),
        RecipeProblem("weight", "3", "-2 to 2"),
        RecipeProblem("weight", "much", "a number"),
        RecipeProblem("vae", "clear", "sharp"),
        RecipeProblem("vae", "clear", "a model that can do this"),
        RecipeProblem("vae", "clear", "an autoencoder for this kind of model"),
        RecipeProblem("prompt", "zebu", "an embedding for this kind of model"),
        RecipeProblem("some_new_field", "x", "y"),
    )


JARGON = re.compile(
    r"\b(none type|nonetype|exception|traceback|invalid|null|nan|stderr|errno|error|pickle|child|"
    r"process|exit code|tensor|thread|dtype|latents?|pipeline|parse|argument|safetensor)\b",
    re.IGNORECASE,
)


def check(message: Message) -> None:
    whole = str(message)
    assert message.title
    assert message.body
    assert message.next_step
    assert message.title[-1] not in ".!:"
    assert message.title[0].isupper()
    for text in (message.body, message.next_step):
        assert text[0].isupper() or text[0] in "/“"
        assert text.endswith(".")
        assert ".." not in text
        assert "  " not in text
    assert not JARGON.search(whole), whole
    assert "None" not in whole
    assert "_" not in message.title
    assert not any(leaf.__name__ in whole for leaf in leaves() if leaf.__name__ != "Bug")


def test_there_is_an_example_of_every_leaf() -> None:
    assert {type(example) for example in EXAMPLES} == set(leaves())


@pytest.mark.parametrize("error", EXAMPLES, ids=str)
def test_every_leaf_has_a_title_a_body_and_a_next_step(error: EaselError) -> None:
    check(describe(error))


@pytest.mark.parametrize("error", EXAMPLES, ids=str)
def test_only_a_bug_is_called_a_fault_in_easel(error: EaselError) -> None:
    assert ("fault in Easel" in describe(error).title) == isinstance(error, errors.Bug)


@pytest.mark.parametrize("problem", problems(), ids=str)
def test_every_field_that_cannot_be_has_words(problem: RecipeProblem) -> None:
    check(describe(problem))


def test_a_number_out_of_range_is_shown_with_the_range() -> None:
    assert str(describe(RecipeProblem("seed", "-1", "0 to 4294967295"))) == (
        "The seed cannot be -1. It can be 0 to 4294967295. Choose a value within that."
    )


def test_a_bug_names_the_log_and_shows_no_traceback() -> None:
    message = describe(errors.Bug("boom"), Path("/logs/easel.log"))
    assert "/logs/easel.log" in message.body
    assert "boom" not in str(message)


def test_an_error_without_words_is_called_a_fault_in_easel() -> None:
    class NewlyAdded(errors.WorldError):
        pass

    assert describe(NewlyAdded()).title == "This is a fault in Easel"


@pytest.mark.parametrize(("unused", "words"), [(1, "for one part of"), (9, "for 9 parts of")])
def test_a_lora_that_is_used_in_part_is_told(unused: int, words: str) -> None:
    line = describe_partly_used(PartlyUsed("j", "Ink", 3, unused))
    assert words in line
    assert line.endswith("of Ink; the rest is used.")


def test_sizes_and_times_are_in_units_people_use() -> None:
    assert "346 KB" in describe(NoSpace("/p", 345_678, 1200)).body
    assert "1.2 KB" in describe(NoSpace("/p", 345_678, 1200)).body
    assert "3.2 GB" in describe(errors.OutOfMemory(3_200_000_000, 1)).body


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (9_949, "9.9 KB"),
        (9_950, "10 KB"),
        (999_400, "999 KB"),
        (999_600, "1.0 MB"),
        (3_200_000_000, "3.2 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_bytes_as_text(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    "why", [FolderNotWritable("/pictures", "permission"), NoSpace("/pictures", 10, 0)], ids=str
)
def test_a_picture_that_fell_back_says_why_and_where(why: FolderNotWritable | NoSpace) -> None:
    message = describe_fallback(why, Path("/fallback/a.png"))
    check(message)
    assert "/pictures" in message.body
    assert "/fallback/a.png" in message.body


def test_file_names_cannot_break_out_of_a_sentence() -> None:
    nasty = "/a\x1b[31m\nb\udcff\u202e.png"
    assert shown(nasty) == "/a�[31m�b?�.png"
    for error in (errors.ModelMissing(nasty), FolderNotWritable(nasty, nasty)):
        assert str(describe(error)).isprintable()


def test_braces_in_what_was_asked_are_just_text() -> None:
    assert "{0.__class__}" in str(describe(RecipeProblem("seed", "{0.__class__}", "{x}")))


@pytest.mark.parametrize(
    ("seconds", "memory", "computer", "text"),
    [
        (14.2, 1_181_116_006, 8 * 2**30, "About 14 s a picture, 1.1 of 8 GB"),
        (3.44, 2**30, 16 * 2**30, "About 3.4 s a picture, 1.0 of 16 GB"),
        (9.96, 0, 64 * 2**30, "About 10 s a picture, 0.0 of 64 GB"),
    ],
)
def test_a_trial_in_words(seconds: float, memory: int, computer: int, text: str) -> None:
    assert trial_text(seconds, memory, computer) == text
