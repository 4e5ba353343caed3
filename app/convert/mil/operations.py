"""Every operation that the interpreter knows, by its name in MIL."""

from __future__ import annotations

from collections.abc import Mapping

from app.convert.mil import (
    ops_attention,
    ops_constants,
    ops_elementwise,
    ops_lookup,
    ops_nn,
    ops_shapes,
)
from app.convert.mil.kernels import Kernel

CONST = "const"
"""The one operation that is a value, not a computation: its attribute ``val``."""

CONSTANTS: Mapping[str, Kernel] = ops_constants.OPERATIONS
"""Those whose result depends on nothing but the file."""

OPERATIONS: Mapping[str, Kernel] = {
    **ops_attention.OPERATIONS,
    **ops_elementwise.OPERATIONS,
    **ops_lookup.OPERATIONS,
    **ops_nn.OPERATIONS,
    **ops_shapes.OPERATIONS,
}
