"""A model named as "org/name": what the hub is asked, what is chosen, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.core.card import CardFile, Kind
from app.core.errors import AccessNeeded, CardProblem, HubUnreachable, ModelWithdrawn
from app.core.model import Family
from app.weights.choosing import Entry, choose
from app.weights.events import Connected
from app.weights.hub import SWITCHES
from app.weights.licences import licence
from app.weights.named import Named, NamedModels
from app.weights.naming import resolve
from app.weights.patience import Options
from tests.weights.hub_api import COMMIT
from tests.weights.hubs import QUICK, Events, FaultHub, content, fault_hub

pytestmark = pytest.mark.loopback

LICENCES = Path(__file__).parents[2] / "resources" / "licenses"
NAME = "Some-One/My_Model.v1"
Serve = Callable[..., FaultHub]


def as_json(**data: Any) -> bytes:
    return json.dumps(data).encode()


def folder(**changes: bytes | None) -> dict[str, bytes]:
    """A repository as people keep them: more in it than anyone needs."""
    files: dict[str, bytes] = {
        "model_index.json": as_json(_class_name="StableDiffusionPipeline"),
        "README.md": b"Hello",
        "v1-5-pruned.ckpt": content(2000),
        "v1-5-pruned.safetensors": content(2000),
        "scheduler/scheduler_config.json": as_json(a=1),
        "tokenizer/vocab.json": as_json(a=2),
        "tokenizer/merges.txt": b"a b",
        "unet/config.json": as_json(cross_attention_dim=768),
        "vae/config.json": as_json(a=3),
        "text_encoder/config.json": as_json(a=4),
        "safety_checker/model.safetensors": content(50),
        "vae/diffusion_pytorch_model.safetensors": content(600, "vae"),
        "text_encoder/model.safetensors": content(400, "text"),
        "text_encoder/model.fp16.safetensors": content(200, "text16"),
        "text_encoder/pytorch_model.bin": content(300),
        "text_encoder/flax_model.msgpack": content(30),
        "unet/diffusion_pytorch_model.safetensors": content(3000, "unet"),
        "unet/diffusion_pytorch_model.fp16.safetensors": content(1500, "unet16"),
        "unet/diffusion_pytorch_model.non_ema.safetensors": content(1500, "ema"),
        "unet/model.onnx": content(10),
    }
    for path, data in changes.items():
        if data is None:
            del files[path]
        else:
            files[path] = data
    return files


NEEDED = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def serve(files: dict[str, bytes], *rules: Any, **about: Any) -> FaultHub:
            told = {"license": "creativeml-openrail-m"} | about
            files = files | {".api.json": as_json(**told)}
            return stack.enter_context(fault_hub(tmp_path, files, *rules))

        yield serve


def name(
    hub: FaultHub, repository: str = NAME, revision: str = "", token: str = "", events: Any = None
) -> Named:
    events = events or Events()
    options = Options(hub.endpoint, token, QUICK)
    named = resolve(repository, revision, LICENCES, events.report, events.stop.is_set, options)
    assert isinstance(named, Named)
    return named


def test_a_folder_is_chosen_from_and_pinned(serve: Serve) -> None:
    files, events = folder(), Events()
    hub = serve(files, page=3)
    named = name(hub, events=events)
    card = named.card
    # 1. What is needed, and each file with its bytes and SHA-256
    assert card.kind is Kind.DIFFUSERS
    assert (card.revision, card.family, card.id) == (COMMIT, Family.SD1, "some-one-my-model-v1")
    assert set(card.files) == {
        CardFile(path, len(files[path]), hashlib.sha256(files[path]).hexdigest()) for path in NEEDED
    }
    # 2. The licence of the tag
    assert named.licence == licence(LICENCES, "openrail-m")
    # 3. No weights were asked for; every request is told
    asked = [entry["path"] for entry in hub.log()]
    assert not [path for path in asked if path.endswith((".safetensors", ".bin", ".ckpt"))]
    assert len(events.of(Connected)) == len(asked)
    assert sum("/tree/" in path for path in asked) > 5


@pytest.mark.parametrize(
    ("pipeline", "width", "family"),
    [
        ("StableDiffusionPipeline", 1024, Family.SD2),
        ("StableDiffusionXLPipeline", 2048, Family.SDXL),
    ],
)
def test_the_family_is_told(serve: Serve, pipeline: str, width: int, family: Family) -> None:
    files = folder() | {
        "model_index.json": as_json(_class_name=pipeline),
        "unet/config.json": as_json(cross_attention_dim=width),
        "text_encoder_2/config.json": as_json(a=5),
        "text_encoder_2/model.fp16-00001-of-00002.safetensors": content(70, "a"),
        "text_encoder_2/model.fp16-00002-of-00002.safetensors": content(70, "b"),
        "text_encoder_2/model.safetensors.index.fp16.json": as_json(weight_map={}),
        "tokenizer_2/vocab.json": as_json(a=6),
    }
    card = name(serve(files)).card
    assert card.family is family
    shards = [file.path for file in card.files if file.path.startswith("text_encoder_2/model")]
    assert len(shards) == (3 if family is Family.SDXL else 0)


def test_a_single_file_is_a_checkpoint(serve: Serve) -> None:
    card = name(serve({"anime.safetensors": content(900), "anime.ckpt": content(9)})).card
    assert card.kind is Kind.CHECKPOINT
    assert [file.path for file in card.files] == ["anime.safetensors"]


@pytest.mark.parametrize("path", ["LICENSE", "LICENSE.md", "LICENSE.txt"])
def test_the_licence_of_the_repository_comes_first(serve: Serve, path: str) -> None:
    text = "Be good.\n\nAttachment A\n\nDo no harm.\n"
    named = name(serve({"a.safetensors": content(9), path: text.encode()}))
    assert named.licence.text == text
    assert named.licence.restrictions.startswith("Attachment A")
    assert named.licence.sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("files", "about", "words"),
    [
        ({"a.safetensors": b"1"}, {"license": "other"}, "its licence is not known"),
        ({"a.safetensors": b"1", "b.safetensors": b"2"}, {}, "2 single-file models"),
        ({"a.ckpt": b"1"}, {}, "no model in .safetensors"),
        ({"model_index.json": as_json(_class_name="FluxPipeline")}, {}, "not a model of a kind"),
        ({"model_index.json": b"[1]"}, {}, "model_index.json is damaged"),
        ({"model_index.json": b"{"}, {}, "damaged"),
        (folder(**{"vae/config.json": None}), {}, "its vae is missing"),
        (folder(**{"vae/diffusion_pytorch_model.safetensors": None}), {}, "its vae has no weights"),
        (folder(**{"scheduler/scheduler_config.json": None}), {}, "its scheduler is missing"),
        (folder(**{"vae/config.json": b"x" * 5_000_001}), {}, "the checksum of vae/config.json"),
        (
            folder(),
            {"lies": {"vae/config.json": {"oid": "e" * 40}}},
            "vae/config.json is not what the hub's list says",
        ),
        (
            folder(),
            {"lies": {"vae/config.json": {"size": 3}}},
            "vae/config.json",
        ),
        (folder(), {"lies": {"vae/config.json": {"size": -1}}}, "list of its files is damaged"),
        (folder(), {"lies": {"vae/config.json": {"oid": 7}}}, "list of its files is damaged"),
        (folder(), {"rows": [None]}, "list of its files is damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_with_is_told(
    serve: Serve, files: dict[str, bytes], about: dict[str, Any], words: str
) -> None:
    with pytest.raises(CardProblem) as raised:
        name(serve(files, **about))
    assert words in raised.value.reason


@pytest.mark.parametrize(
    "path",
    [
        "tokenizer/../../escape.json",
        "tokenizer/..\\escape.json",
        "tokenizer/a\0.json",
        "tokenizer/VOCAB.json",
        f"tokenizer/{'a' * 300}.json",
        "tokenizer/.hidden.json",
    ],
)
def test_hostile_names_are_refused_before_a_file_is_asked_for(serve: Serve, path: str) -> None:
    row = {"type": "file", "path": path, "size": 2, "oid": "a" * 40}
    hub = serve(folder(), rows=[row])
    if "/../" in path:  # not below the tokenizer's own folder: never chosen
        assert not any(".." in file.path for file in name(hub).card.files)
        return
    with pytest.raises(CardProblem):
        name(hub)
    assert not [entry for entry in hub.log() if "escape" in entry["path"]]


@pytest.mark.parametrize("repository", ["name", "a/b/c", "../b", "a/..", "a/b?x", "", "a/b\n"])
def test_what_is_no_name_is_never_asked_for(serve: Serve, repository: str) -> None:
    hub = serve(folder())
    with pytest.raises(CardProblem):
        name(hub, repository)
    with pytest.raises(CardProblem):
        name(hub, revision="../../x")
    assert hub.log() == []


def test_access_is_asked_for_with_one_question(serve: Serve) -> None:
    hub = serve(folder(), gated="auto")
    with pytest.raises(AccessNeeded) as raised:
        name(hub)
    assert raised.value == AccessNeeded(NAME, "gated")
    assert len(hub.log()) == 1
    card = name(hub, token="hf_secret").card
    assert card.gated
    assert "hf_secret" not in repr(card)


def test_private_and_withdrawn_are_told(serve: Serve) -> None:
    hub = serve(folder(), private=True)
    with pytest.raises(AccessNeeded) as raised:
        name(hub)
    assert raised.value.reason == "private"
    with pytest.raises(ModelWithdrawn) as gone:
        name(hub, revision="v9", token="hf_secret")
    assert gone.value == ModelWithdrawn(NAME, "revision")
    assert len(hub.log()) == 2


def test_a_busy_hub_is_asked_again_and_an_endless_list_is_left(serve: Serve) -> None:
    busy = {"do": "status", "code": 503, "path": f"tree/{COMMIT}?recursive=true&expand=false"}
    assert name(serve(folder(), busy)).card.files
    with pytest.raises(CardProblem) as raised:
        name(serve({f"{n}.txt": b"" for n in range(60)}, page=1))
    assert "more files than any model" in raised.value.reason


def test_an_answer_that_drips_is_left(serve: Serve) -> None:
    slow = {"do": "drip", "path": "LICENSE", "times": 10_000}
    hub = serve(folder(LICENSE=content(4000)), slow)
    with pytest.raises(HubUnreachable) as raised:
        name(hub)
    assert raised.value.reason == "too slow"


def test_of_weights_there_is_one_set_and_that_whole() -> None:
    stem = "vae/diffusion_pytorch_model"
    shards = {f"{stem}-0000{n}-of-00002.safetensors" for n in (1, 2)}
    shards.add(f"{stem}.safetensors.index.json")
    index = {"_class_name": "StableDiffusionPipeline"}

    def chosen(paths: set[str]) -> set[str]:
        entries = [Entry(path, 1, "a" * 40, "b" * 64) for path in sorted(paths)]
        return {entry.path for entry in choose(NAME, entries, index).entries}

    single = f"{stem}.safetensors"
    assert chosen(NEEDED | shards) == NEEDED
    assert chosen(NEEDED - {single} | shards) == NEEDED - {single} | shards
    for missing in shards:
        with pytest.raises(CardProblem, match="its vae has no weights"):
            chosen(NEEDED - {single} | shards - {missing})


WITNESS = """
import json, sys
from huggingface_hub import HfApi
endpoint, name = sys.argv[1:]
api = HfApi(endpoint=endpoint, token=False)
info = api.model_info(name, revision="main")
rows = [row for row in api.list_repo_tree(name, recursive=True) if hasattr(row, "blob_id")]
large = {row.path: [row.lfs.size, row.lfs.sha256] for row in rows if row.lfs}
sizes = {row.path: row.size for row in rows}
print(json.dumps([info.sha, info.gated, info.card_data.license, sizes, large]))
"""


def test_the_real_client_understands_the_hub_of_these_tests(serve: Serve) -> None:
    files = folder()
    hub = serve(files, page=7, gated="manual")
    env = {key: value for key, value in os.environ.items() if "OFFLINE" not in key} | SWITCHES
    command = [sys.executable, "-c", WITNESS, hub.endpoint, NAME]
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    commit, gated, tag, sizes, large = json.loads(told.stdout)
    assert (commit, gated, tag) == (COMMIT, "manual", "creativeml-openrail-m")
    assert sizes == {path: len(data) for path, data in files.items()}
    for file in name(hub, token="hf_secret").card.files:
        assert large.get(file.path, [file.bytes, file.sha256]) == [file.bytes, file.sha256]


def test_a_named_model_is_kept_and_a_damaged_one_passed_over(serve: Serve, tmp_path: Path) -> None:
    named, kept = name(serve(folder())), NamedModels(tmp_path / "named")
    kept.keep(named)
    assert kept.all() == (named,)
    good = (tmp_path / "named" / f"{named.card.id}.json").read_text("utf-8")
    for wrong in (
        good[:-20],
        good.replace("unet/config.json", "../config.json"),
        good.replace(named.card.id, "another"),
        good.replace('"schema_version": 1', '"schema_version": 2'),
        "[]",
    ):
        (tmp_path / "named" / f"{named.card.id}.json").write_text(wrong, "utf-8")
        assert kept.all() == ()
