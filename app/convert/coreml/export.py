"""Writes one network as a Core ML package: torch.export, then coremltools."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from app.convert.coreml.lowering import corrected_converter
from app.convert.coreml.parts import Network, Shape

_DEBUGGING = "executorch_debug_handle_mapping.json"
"""coremltools leaves it in packages that came from torch.export; Core ML has no use for it."""
TARGETS = {14: ct.target.macOS14, 15: ct.target.macOS15}


def export_package(network: Network, shape: Shape, target: int, package: Path) -> None:
    """Write ``network`` for ``shape`` to the new ``package``, for macOS ``target`` (14, 15) on.

    Raises OSError.
    """
    precision = ct.precision.FLOAT16 if network.narrow else ct.precision.FLOAT32
    kind = np.float32 if network.wide else np.float16
    with corrected_converter():
        # 1. The network as a graph of plain operations
        program = _traced(network.module, network.inputs(shape))
        _strip(program)
        # 2. The graph as an ML Program; UNets keep the types that they have in torch
        model = ct.convert(
            program,
            outputs=[ct.TensorType(name=name, dtype=kind) for name in network.outputs],
            minimum_deployment_target=TARGETS[target],
            compute_precision=precision,
            compute_units=ct.ComputeUnit.CPU_ONLY,
            skip_model_load=True,
        )
        del program
        # 3. On disk
        model.save(str(package))
        (package / _DEBUGGING).unlink(missing_ok=True)
    del model
    gc.collect()


def _traced(module: nn.Module, named: dict[str, Tensor]) -> ExportedProgram:
    with torch.no_grad():
        exported: ExportedProgram = torch.export.export(module, (), named)
        plain: ExportedProgram = exported.run_decompositions({})
        return plain


def _strip(program: ExportedProgram) -> None:
    """Take out divisions by one, which the converter would do in fp32, and assertions."""
    graph: Any = program.graph_module.graph
    for node in list(graph.nodes):
        name = str(node.target)
        if name == "aten.div.Tensor" and node.args[1] == 1:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
        elif name.startswith("aten._assert"):
            graph.erase_node(node)
