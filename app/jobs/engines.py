"""How the engines are made, and in which process. Factories pickle by name and are light to import.

Core ML draws in the process that asks for it: it lets the window breathe. Where there is no Core
ML, an interpreter of its packages stands in for it, in a child: it needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.mac import Mac
from app.core.model import ModelFormat
from app.core.placement import Placement
from app.engine.coreml.this_mac import this_mac
from app.jobs.child_host import ChildHost
from app.jobs.hosts import Hosts
from app.jobs.thread_host import ThreadHost

if TYPE_CHECKING:
    from app.engine.contract import Engine, EngineFactory
    from app.engine.coreml.backend import Backend, BackendFactory
    from app.jobs.host import Host

CORE_ML = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU)


@dataclass(frozen=True, slots=True)
class CoreMLHere:
    """Core ML as this Mac has it: ``backend`` opens models to prepare them, ``engine`` draws.

    Both are called in children too, and pickle. ``in_process``: whether ``engine`` lets the window
    breathe, so that it may draw on a thread of it.
    """

    mac: Mac
    backend: BackendFactory
    engine: EngineFactory
    in_process: bool = True


def core_ml_here(cache: Path) -> CoreMLHere | None:
    """This computer's, with compiled models kept in ``cache``; None where it has none."""
    mac = this_mac()
    if mac is None:
        return None
    return CoreMLHere(mac, partial(backend_of_this_mac, cache), partial(on_this_mac, cache))


def make_hosts(make_torch: EngineFactory, here: CoreMLHere | None) -> Hosts:
    """A host for each format of models."""
    torch: Host = ChildHost(make_torch)
    make_core_ml = interpreted if here is None else here.engine
    in_process = here is not None and here.in_process
    core_ml: Host = ThreadHost(make_core_ml) if in_process else ChildHost(make_core_ml)
    return Hosts({ModelFormat.DIFFUSERS: torch, ModelFormat.COREML: core_ml})


def backend_of_this_mac(cache: Path) -> Backend:
    """What prepares models on a Mac. Raises PlacementUnavailable elsewhere."""
    from app.engine.coreml.backend import core_ml

    return core_ml(cache)


def on_this_mac(cache: Path) -> Engine:
    """The Core ML engine of a Mac. Raises PlacementUnavailable elsewhere."""
    from app.engine.coreml.choosing import stages
    from app.engine.coreml.engine import CoreMLEngine

    mac = this_mac()
    runtime = backend_of_this_mac(cache).runtime
    return CoreMLEngine(runtime, CORE_ML, staged=mac is not None and stages(mac))


def interpreted() -> Engine:
    """The Core ML engine over the interpreter of packages: slow, right, on any system."""
    from app.convert.mil.runtime import InterpretedRuntime
    from app.engine.coreml.engine import CoreMLEngine

    return CoreMLEngine(InterpretedRuntime(), (Placement.CPU,))
