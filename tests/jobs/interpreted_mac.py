"""A Mac whose Core ML is the interpreter of packages: everything else is what a Mac has."""

from __future__ import annotations

from dataclasses import replace

from app.convert.mil.runtime import InterpretedRuntime
from app.core.mac import Mac
from app.engine.contract import Engine
from app.engine.coreml.backend import Backend
from app.engine.coreml.engine import CoreMLEngine
from app.jobs.engines import CORE_ML, CoreMLHere

AIR = Mac("Apple M1", 4, 7, 8 * 2**30, (15, 1), "24B83")


def interpreted_mac(build: str = AIR.build) -> CoreMLHere:
    """Drawn with in a child: the interpreter needs torch."""
    return CoreMLHere(replace(AIR, build=build), make_backend, make_engine, in_process=False)


def make_backend() -> Backend:
    return Backend(InterpretedRuntime())


def make_engine() -> Engine:
    return CoreMLEngine(InterpretedRuntime(), CORE_ML)
