"""Which device macOS means to do how much of a model's work on (``MLComputePlan``, 14.4)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from app.engine.coreml.bridge import Bridge

PLAN_S = 600.0
"""Seconds that macOS gets to make a plan; it compiles for the unit while it does."""

_DEVICES = {
    "MLNeuralEngineComputeDevice": "neural_engine",
    "MLGPUComputeDevice": "gpu",
    "MLCPUComputeDevice": "cpu",
}


@dataclass(frozen=True, slots=True)
class Shares:
    """Each device's part of the estimated cost, 0 to 1; together 1."""

    neural_engine: float
    gpu: float
    cpu: float


def shares(
    bridge: Bridge, url: Any, configuration: Any, function: str, wait_s: float = PLAN_S
) -> Shares | None:
    """The shares of the model at ``url``; None where macOS has no plan, or none in time."""
    # 1. The plan comes on another thread
    if not hasattr(bridge.coreml, "MLComputePlan"):
        return None
    answered, plans = threading.Event(), []

    def take(plan: Any, _error: Any) -> None:
        plans.append(plan)
        answered.set()

    bridge.coreml.MLComputePlan.loadContentsOfURL_configuration_completionHandler_(
        url, configuration, take
    )
    if not answered.wait(wait_s) or plans[0] is None:
        return None
    # 2. What each operation costs, and where it is meant to run. Constants run nowhere
    program = plans[0].modelStructure().program()
    code = None if program is None else program.functions().objectForKey_(function)
    if code is None:
        return None
    costs = dict.fromkeys(_DEVICES.values(), 0.0)
    counts = dict.fromkeys(_DEVICES.values(), 0)
    for operation in code.block().operations():
        usage = plans[0].computeDeviceUsageForMLProgramOperation_(operation)
        device = None if usage is None else _device(bridge, usage.preferredComputeDevice())
        if device is None:
            continue
        cost = plans[0].estimatedCostOfMLProgramOperation_(operation)
        costs[device] += 0.0 if cost is None else float(cost.weight())
        counts[device] += 1
    # 3. A plan may cost everything at nothing: then each operation counts as one
    weights = costs if sum(costs.values()) > 0 else counts
    total = sum(weights.values())
    return Shares(**{name: part / total for name, part in weights.items()}) if total else None


def _device(bridge: Bridge, device: Any) -> str | None:
    if device is None:
        return None
    kinds = ((getattr(bridge.coreml, name), key) for name, key in _DEVICES.items())
    return next((key for kind, key in kinds if device.isKindOfClass_(kind)), None)
