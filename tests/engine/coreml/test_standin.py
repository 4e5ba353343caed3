"""The stand-in is as strict as PyObjC, and sees what a Mac would suffer from in silence."""

from __future__ import annotations

import gc
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.coreml.standin.messages import SELECTORS, TABLE
from tests.engine.coreml.standin.world import World
from tests.engine.coreml.tiny_packages import TinyModels
from tests.engine.coreml.worker import worker

ROOT = Path(__file__).parents[3]
FLOAT16 = TABLE["constants"]["MLMultiArrayDataTypeFloat16"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(TinyModels(), tmp_path)


@pytest.fixture
def call() -> Iterator[Any]:
    with worker() as run:
        yield run


def test_the_table_is_of_the_version_that_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pin = next(one for one in project["dependencies"] if "pyobjc-framework-CoreML" in one)
    version = pin.split(";")[0].split("==")[1].strip()
    assert [name.split("-")[1] for name in TABLE["origin"]] == [version, version]


def test_every_error_comes_back_last() -> None:
    for rows in SELECTORS.values():
        for selector, row in rows.items():
            if "rror:" in selector:
                assert row["from"] == "wheel"
                assert row["out"] == [selector.count(":") - 1]


def test_arguments_are_counted_and_errors_are_none(world: World, call: Any) -> None:
    model = world.bridge.coreml.MLModel
    with pytest.raises(TypeError, match="Need 2 arguments, got 1"):
        call(model.compileModelAtURL_error_, "url")
    with pytest.raises(ValueError, match="has to be None"):
        call(model.compileModelAtURL_error_, "url", [])


@pytest.mark.parametrize("name", ["compileModelAtURL_", "modelWithContentsOfURL", "predict"])
def test_another_selector_is_no_attribute(name: str, world: World) -> None:
    with pytest.raises(AttributeError):
        getattr(world.bridge.coreml.MLModel, name)


def test_the_main_thread_is_seen(world: World) -> None:
    world.bridge.coreml.MLModelConfiguration.alloc().init()
    with pytest.raises(AssertionError):
        world.check()


def test_what_no_pool_takes_leaks(world: World, call: Any) -> None:
    call(world.bridge.foundation.NSURL.fileURLWithPath_, "/somewhere")
    assert world.leaked == ["+fileURLWithPath:"]
    with pytest.raises(AssertionError):
        world.check()


def test_a_pool_keeps_what_it_took_until_it_is_drained(world: World, call: Any) -> None:
    def work() -> None:
        with world.bridge.objc.autorelease_pool():
            world.bridge.foundation.NSURL.fileURLWithPath_("/somewhere")
            (kept,) = world.pools.stack()[-1]
            assert kept.path() == "/somewhere"
        assert world.pools.stack() == []

    call(work)
    world.check()


def test_freed_memory_is_not_what_it_was(world: World, call: Any) -> None:
    def work() -> Any:
        kind = world.bridge.coreml.MLMultiArray
        array, _ = kind.alloc().initWithShape_dataType_error_(world.array((2, 2)), FLOAT16, None)
        view = np.frombuffer(array.dataPointer().as_buffer(8), np.float16)
        view[...] = 1.0
        assert array._values().tolist() == [[1.0, 1.0], [1.0, 1.0]]
        return view

    view = call(work)
    gc.collect()
    assert np.isnan(view).all()
    assert world.dangling == [8]


def test_memory_ends_where_it_ends(world: World, call: Any) -> None:
    def work() -> None:
        kind = world.bridge.coreml.MLMultiArray
        array, _ = kind.alloc().initWithShape_dataType_error_(world.array((2, 2)), FLOAT16, None)
        array.dataPointer().as_buffer(9)

    with pytest.raises(AssertionError, match="past the end"):
        call(work)


def test_what_core_ml_would_read_through_python_s_lock_is_refused(world: World, call: Any) -> None:
    coreml = world.bridge.coreml
    with pytest.raises(AssertionError, match="list of Python's"):
        call(coreml.MLMultiArray.alloc().initWithShape_dataType_error_, [2, 2], FLOAT16, None)
    with pytest.raises(AssertionError, match="dict of Python's"):
        call(coreml.MLDictionaryFeatureProvider.alloc().initWithDictionary_error_, {}, None)
