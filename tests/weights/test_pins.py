"""Each way in which a pin of the shelf can have come loose is told, at the cost of no byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import HubUnreachable, LoginPage
from app.weights.patience import Options
from app.weights.pins import HOLDS, Pin, look_at_pins
from tests.weights.hubs import NEVER, QUICK, Events, card_for, content, fault_hub

pytestmark = pytest.mark.loopback
FILES = {"model.safetensors": content(4000), "config.json": b"{}"}
SIZE = len(FILES["model.safetensors"])
OTHER = content(SIZE, "another")


def status(code: int, **headers: str) -> dict[str, Any]:
    return {"do": "status", "code": code, "headers": headers, "path": "safetensors", "times": NEVER}


def said(headers: dict[str, str]) -> dict[str, Any]:
    return {"do": "serve", "headers": headers, "path": "safetensors", "times": NEVER}


def looked(
    tmp_path: Path, served: dict[str, bytes], *rules: Any, gated: bool = False, **about: Any
) -> tuple[Pin, ...]:
    events = Events()
    files = served | {".api.json": json.dumps(about).encode()}
    with fault_hub(tmp_path, files, *rules) as hub:
        options = Options(hub.endpoint, "", QUICK)
        card = card_for(FILES, gated=gated)
        found = look_at_pins(card, events.report, events.stop.is_set, options)
        assert {entry["headers"].get("range") for entry in hub.log()} == {None}
        assert hub.sent() == 0
    assert isinstance(found, tuple)
    assert [one.path for one in found] == list(FILES)
    return tuple(one.found for one in found)


@pytest.mark.parametrize("about", [{}, {"etags": True}, {"cdn": True}])
def test_a_pin_that_holds_answers(about: dict[str, bool], tmp_path: Path) -> None:
    assert looked(tmp_path, FILES, **about) == (Pin.ANSWERS, Pin.ANSWERS)


@pytest.mark.parametrize(
    "rule",
    [
        status(404, **{"X-Error-Code": "EntryNotFound"}),
        status(404, **{"X-Error-Code": "RevisionNotFound"}),
        status(404, **{"X-Error-Code": "RepoNotFound"}),
        status(401, **{"X-Error-Code": "RepoNotFound"}),  # the real hub's word for "no such thing"
        status(410),
    ],
    ids=["file", "revision", "repository", "repository, to strangers", "410"],
)
def test_what_is_gone_is_told(rule: dict[str, Any], tmp_path: Path) -> None:
    found = looked(tmp_path, FILES, rule)
    assert found == (Pin.GONE, Pin.ANSWERS)
    assert Pin.GONE not in HOLDS


@pytest.mark.parametrize("about", [{}, {"etags": True}, {"cdn": True}])
@pytest.mark.parametrize("by", [-1, 1])
def test_another_size_is_told(by: int, about: dict[str, bool], tmp_path: Path) -> None:
    served = FILES | {"model.safetensors": content(SIZE + by)}
    assert looked(tmp_path, served, **about) == (Pin.OTHER_SIZE, Pin.ANSWERS)
    assert Pin.OTHER_SIZE not in HOLDS


@pytest.mark.parametrize("about", [{"etags": True}, {"cdn": True}])
def test_another_content_of_the_same_size_is_told(about: dict[str, bool], tmp_path: Path) -> None:
    served = FILES | {"model.safetensors": OTHER}
    assert looked(tmp_path, served, **about) == (Pin.OTHER_HASH, Pin.ANSWERS)
    assert Pin.OTHER_HASH not in HOLDS


@pytest.mark.parametrize(
    ("rule", "gated"),
    [
        (status(401, **{"X-Error-Code": "GatedRepo"}), False),
        (status(403, **{"X-Error-Code": "GatedRepo"}), True),
        ({"do": "chunked", "path": "safetensors", "times": NEVER}, False),
    ],
    ids=["gated", "refused", "no length"],
)
def test_what_is_not_told_is_no_fault_of_the_pin(
    rule: dict[str, Any], gated: bool, tmp_path: Path
) -> None:
    assert looked(tmp_path, FILES, rule, gated=gated) == (Pin.NOT_TOLD, Pin.ANSWERS)
    assert Pin.NOT_TOLD in HOLDS


@pytest.mark.parametrize("size", ["²", "9" * 5000, "-1", "4000.0", ""])
def test_a_size_that_is_none_is_not_believed(size: str, tmp_path: Path) -> None:
    found = looked(tmp_path, FILES, said({"X-Linked-Size": size}))
    assert found[0] in (Pin.NOT_TOLD, Pin.ANSWERS)
    tag = said({"X-Linked-Size": size, "X-Linked-ETag": f'W/"{"0" * 64}"'})
    assert looked(tmp_path, FILES, tag)[0] is Pin.OTHER_HASH


def test_a_hub_that_cannot_be_asked_is_no_drift(tmp_path: Path) -> None:
    with pytest.raises(HubUnreachable):
        looked(tmp_path, FILES, status(503))
    with pytest.raises(LoginPage):
        looked(tmp_path, FILES, {"do": "html", "times": NEVER})
    assert looked(tmp_path, FILES, {"do": "status", "code": 503}) == (Pin.ANSWERS, Pin.ANSWERS)
