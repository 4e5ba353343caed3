"""How the engines are made, and in which process. Factories pickle by name and are light to import.

Core ML draws in the process that asks for it: it lets the window breathe. Where there is no Core
ML, an interpreter of its packages stands in for it, in a child: it needs torch.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.model import ModelFormat
from app.core.placement import Placement
from app.jobs.child_host import ChildHost
from app.jobs.hosts import Hosts
from app.jobs.thread_host import ThreadHost

if TYPE_CHECKING:
    from app.engine.contract import Engine, EngineFactory
    from app.jobs.host import Host


def make_hosts(
    make_torch: EngineFactory, cache: Path, mac: bool = sys.platform == "darwin"
) -> Hosts:
    """A host for each format of models; ``cache``: where compiled Core ML models are kept."""
    torch: Host = ChildHost(make_torch)
    if mac:
        core_ml: Host = ThreadHost(partial(on_this_mac, cache))
    else:
        core_ml = ChildHost(interpreted)
    return Hosts({ModelFormat.DIFFUSERS: torch, ModelFormat.COREML: core_ml})


def on_this_mac(cache: Path) -> Engine:
    """The Core ML engine of a Mac. Raises PlacementUnavailable elsewhere."""
    from app.engine.coreml.backend import core_ml
    from app.engine.coreml.choosing import stages
    from app.engine.coreml.engine import CoreMLEngine
    from app.engine.coreml.this_mac import this_mac

    mac = this_mac()
    both = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU)
    return CoreMLEngine(core_ml(cache).runtime, both, staged=mac is not None and stages(mac))


def interpreted() -> Engine:
    """The Core ML engine over the interpreter of packages: slow, right, on any system."""
    from app.convert.mil.runtime import InterpretedRuntime
    from app.engine.coreml.engine import CoreMLEngine

    return CoreMLEngine(InterpretedRuntime(), (Placement.CPU,))
