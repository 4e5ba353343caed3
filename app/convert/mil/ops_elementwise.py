"""Operations on each number: arithmetic, comparison, logic, activations, casts.

Definitions: ``coremltools.converters.mil.mil.ops.defs`` (iOS15 to iOS18).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

from app.convert.mil.element_types import BY_NAME
from app.convert.mil.kernels import Kernel, Tensor, computing, moving, of_one, of_two

_CASTS = {"fp16": "float32", "fp32": "float32", "fp64": "float32"}
"""A float is never narrowed here: the interpreter does that, where its mode asks for it."""

_SIGMOID_GELU = 1.702


def _cast(x: Tensor, dtype: str) -> Tensor:
    element = BY_NAME.get(_CASTS.get(dtype, dtype))
    if element is None:
        raise ValueError(f"cast to {dtype}")
    return x.to(element.torch)


def _real_div(x: Tensor, y: Tensor) -> Tensor:
    if x.is_floating_point() or y.is_floating_point():
        return x / y
    return torch.div(x, y, rounding_mode="trunc")


def _log(x: Tensor, epsilon: float = 1e-45) -> Tensor:
    return torch.log(x + epsilon)


def _rsqrt(x: Tensor, epsilon: float = 1e-12) -> Tensor:
    return torch.rsqrt(x + epsilon)


def _inverse(x: Tensor, epsilon: float = 1e-4) -> Tensor:
    return torch.reciprocal(x + epsilon)


def _clip(x: Tensor, alpha: float, beta: float) -> Tensor:
    return torch.clamp(x, alpha, beta)


def _threshold(x: Tensor, alpha: float) -> Tensor:
    return torch.clamp(x, min=alpha)


def _select(cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(cond, a, b)


def _gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    if mode == "EXACT":
        return functional.gelu(x)
    if mode == "TANH_APPROXIMATION":
        return functional.gelu(x, approximate="tanh")
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(_SIGMOID_GELU * x)
    raise ValueError(f"gelu in mode {mode}")


def _leaky_relu(x: Tensor, alpha: float = 0.01) -> Tensor:
    return functional.leaky_relu(x, alpha)


def _elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return functional.elu(x, alpha)


def _prelu(x: Tensor, alpha: Tensor) -> Tensor:
    return functional.prelu(x, alpha)


def _sigmoid_hard(x: Tensor, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    return torch.clamp(alpha * x + beta, 0.0, 1.0)


def _scaled_tanh(x: Tensor, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    return alpha * torch.tanh(beta * x)


def _clamped_relu(x: Tensor, alpha: float, beta: float) -> Tensor:
    return torch.clamp(torch.where(x >= 0, x, alpha * x), max=beta)


def _linear_activation(x: Tensor, alpha: float, beta: float = 0.0) -> Tensor:
    return alpha * x + beta


def _thresholded_relu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return torch.where(x >= alpha, x, torch.zeros_like(x))


OPERATIONS: Mapping[str, Kernel] = {
    # arithmetic
    "add": of_two(torch.add),
    "sub": of_two(torch.sub),
    "mul": of_two(torch.mul),
    "real_div": computing(_real_div),
    "floor_div": of_two(torch.floor_divide),
    "mod": of_two(torch.remainder),
    "pow": of_two(torch.pow),
    "maximum": of_two(torch.maximum),
    "minimum": of_two(torch.minimum),
    # comparison and logic
    "equal": of_two(torch.eq),
    "not_equal": of_two(torch.ne),
    "greater": of_two(torch.gt),
    "greater_equal": of_two(torch.ge),
    "less": of_two(torch.lt),
    "less_equal": of_two(torch.le),
    "logical_and": of_two(torch.logical_and),
    "logical_or": of_two(torch.logical_or),
    "logical_xor": of_two(torch.logical_xor),
    "logical_not": of_one(torch.logical_not),
    "select": computing(_select),
    # functions of one number
    "abs": of_one(torch.abs),
    "acos": of_one(torch.acos),
    "asin": of_one(torch.asin),
    "atan": of_one(torch.atan),
    "atanh": of_one(torch.atanh),
    "ceil": of_one(torch.ceil),
    "clip": computing(_clip),
    "cos": of_one(torch.cos),
    "cosh": of_one(torch.cosh),
    "erf": of_one(torch.erf),
    "exp": of_one(torch.exp),
    "exp2": of_one(torch.exp2),
    "floor": of_one(torch.floor),
    "inverse": computing(_inverse),
    "log": computing(_log),
    "round": of_one(torch.round),
    "rsqrt": computing(_rsqrt),
    "sign": of_one(torch.sign),
    "sin": of_one(torch.sin),
    "sinh": of_one(torch.sinh),
    "sqrt": of_one(torch.sqrt),
    "square": of_one(torch.square),
    "tan": of_one(torch.tan),
    "tanh": of_one(torch.tanh),
    "threshold": computing(_threshold),
    "cast": moving(_cast),
    # activations
    "clamped_relu": computing(_clamped_relu),
    "elu": computing(_elu),
    "gelu": computing(_gelu),
    "leaky_relu": computing(_leaky_relu),
    "linear_activation": computing(_linear_activation),
    "prelu": computing(_prelu),
    "relu": of_one(functional.relu),
    "relu6": of_one(functional.relu6),
    "scaled_tanh": computing(_scaled_tanh),
    "sigmoid": of_one(torch.sigmoid),
    "sigmoid_hard": computing(_sigmoid_hard),
    "silu": of_one(functional.silu),
    "softplus": of_one(functional.softplus),
    "softsign": of_one(functional.softsign),
    "thresholded_relu": computing(_thresholded_relu),
}
