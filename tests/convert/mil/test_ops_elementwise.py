"""Arithmetic, comparison, logic, activations and casts, against torch and coremltools itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.convert.mil.cases import Ops, like, wrong
from tests.convert.mil.programs import numbers

MODES = [("fp32", "fp32"), ("fp32", "typed"), ("fp16", "fp32"), ("fp16", "typed")]


def plain(*names: str) -> Ops:
    """Operations of ``x`` that are called the same in torch."""
    return {
        name: (
            lambda mb, n, a, name=name: getattr(mb, name)(x=a, name=n),
            getattr(torch, name),
        )
        for name in names
    }


UNARY: Ops = {
    **plain("abs", "atan", "ceil", "cos", "cosh", "erf", "exp", "exp2", "floor", "round", "sign"),
    **plain("sin", "sinh", "square", "tanh", "sigmoid"),
    "relu": (lambda mb, n, a: mb.relu(x=a, name=n), lambda a: a.clamp(min=0)),
    "relu6": (lambda mb, n, a: mb.relu6(x=a, name=n), lambda a: a.clamp(0, 6)),
    "silu": (lambda mb, n, a: mb.silu(x=a, name=n), lambda a: a * torch.sigmoid(a)),
    "softplus": (lambda mb, n, a: mb.softplus(x=a, name=n), lambda a: torch.log1p(a.exp())),
    "softsign": (lambda mb, n, a: mb.softsign(x=a, name=n), lambda a: a / (1 + a.abs())),
    "gelu": (
        lambda mb, n, a: mb.gelu(x=a, mode="EXACT", name=n),
        lambda a: a * 0.5 * (1 + torch.erf(a / 2**0.5)),
    ),
    "gelu_tanh": (
        lambda mb, n, a: mb.gelu(x=a, mode="TANH_APPROXIMATION", name=n),
        nn.GELU(approximate="tanh"),
    ),
    "gelu_sigmoid": (
        lambda mb, n, a: mb.gelu(x=a, mode="SIGMOID_APPROXIMATION", name=n),
        lambda a: a * torch.sigmoid(1.702 * a),
    ),
    "leaky_relu": (
        lambda mb, n, a: mb.leaky_relu(x=a, alpha=like(a, 0.25), name=n),
        nn.LeakyReLU(0.25),
    ),
    "elu": (lambda mb, n, a: mb.elu(x=a, alpha=like(a, 0.75), name=n), nn.ELU(0.75)),
    "sigmoid_hard": (
        lambda mb, n, a: mb.sigmoid_hard(x=a, alpha=like(a, 0.25), beta=like(a, 0.375), name=n),
        lambda a: (0.25 * a + 0.375).clamp(0, 1),
    ),
    "scaled_tanh": (
        lambda mb, n, a: mb.scaled_tanh(x=a, alpha=like(a, 1.5), beta=like(a, 0.5), name=n),
        lambda a: 1.5 * torch.tanh(0.5 * a),
    ),
    "clamped_relu": (
        lambda mb, n, a: mb.clamped_relu(x=a, alpha=like(a, 0.125), beta=like(a, 1.0), name=n),
        lambda a: torch.where(a < 0, 0.125 * a, a).clamp(max=1.0),
    ),
    "linear_activation": (
        lambda mb, n, a: mb.linear_activation(x=a, alpha=like(a, 2.0), beta=like(a, 0.5), name=n),
        lambda a: 2 * a + 0.5,
    ),
    "thresholded_relu": (
        lambda mb, n, a: mb.thresholded_relu(x=a, alpha=like(a, 0.5), name=n),
        lambda a: a * (a >= 0.5),
    ),
    "threshold": (
        lambda mb, n, a: mb.threshold(x=a, alpha=like(a, 0.25), name=n),
        lambda a: a.clamp(0.25),
    ),
    "clip": (
        lambda mb, n, a: mb.clip(x=a, alpha=like(a, -0.5), beta=like(a, 0.75), name=n),
        nn.Hardtanh(-0.5, 0.75),
    ),
    "prelu": (
        lambda mb, n, a: mb.prelu(x=a, alpha=like(a, numbers(3, seed=9)), name=n),
        lambda a: torch.where(a < 0, a * numbers(3, seed=9).reshape(3, 1, 1), a),
    ),
    "to_int": (lambda mb, n, a: mb.cast(x=a, dtype="int32", name=n), lambda a: a.int()),
    "through_half": (
        lambda mb, n, a: mb.cast(x=mb.cast(x=a, dtype="fp16"), dtype="fp32", name=n),
        lambda a: a,
    ),
}


POSITIVE: Ops = {
    **plain("sqrt"),
    "log": (
        lambda mb, n, a: mb.log(x=a, epsilon=like(a, 0.25), name=n),
        lambda a: (a + 0.25).log(),
    ),
    "rsqrt": (
        lambda mb, n, a: mb.rsqrt(x=a, epsilon=like(a, 0.5), name=n),
        lambda a: (a + 0.5) ** -0.5,
    ),
    "inverse": (
        lambda mb, n, a: mb.inverse(x=a, epsilon=like(a, 0.5), name=n),
        lambda a: 1 / (a + 0.5),
    ),
    "default_log": (lambda mb, n, a: mb.log(x=a, name=n), torch.log),
    "default_rsqrt": (lambda mb, n, a: mb.rsqrt(x=a, name=n), torch.rsqrt),
}
WITHIN_ONE: Ops = plain("acos", "asin", "atanh", "tan")

BINARY: Ops = {
    "add": (lambda mb, n, a, b: mb.add(x=a, y=b, name=n), lambda a, b: a + b),
    "sub": (lambda mb, n, a, b: mb.sub(x=a, y=b, name=n), lambda a, b: a - b),
    "mul": (lambda mb, n, a, b: mb.mul(x=a, y=b, name=n), lambda a, b: a * b),
    "real_div": (lambda mb, n, a, b: mb.real_div(x=a, y=b, name=n), lambda a, b: a / b),
    "floor_div": (lambda mb, n, a, b: mb.floor_div(x=a, y=b, name=n), lambda a, b: (a / b).floor()),
    "maximum": (
        lambda mb, n, a, b: mb.maximum(x=a, y=b, name=n),
        lambda a, b: torch.where(a > b, a, b),
    ),
    "minimum": (
        lambda mb, n, a, b: mb.minimum(x=a, y=b, name=n),
        lambda a, b: torch.where(a < b, a, b),
    ),
    "pow": (lambda mb, n, a, b: mb.pow(x=mb.abs(x=a), y=b, name=n), lambda a, b: a.abs() ** b),
    "equal": (lambda mb, n, a, b: mb.equal(x=a, y=b, name=n), lambda a, b: a == b),
    "not_equal": (lambda mb, n, a, b: mb.not_equal(x=a, y=b, name=n), lambda a, b: a != b),
    "greater": (lambda mb, n, a, b: mb.greater(x=a, y=b, name=n), lambda a, b: a > b),
    "greater_equal": (lambda mb, n, a, b: mb.greater_equal(x=a, y=b, name=n), lambda a, b: a >= b),
    "less": (lambda mb, n, a, b: mb.less(x=a, y=b, name=n), lambda a, b: a < b),
    "less_equal": (lambda mb, n, a, b: mb.less_equal(x=a, y=b, name=n), lambda a, b: a <= b),
    "select": (
        lambda mb, n, a, b: mb.select(cond=mb.greater(x=a, y=b), a=a, b=mb.mul(x=a, y=b), name=n),
        lambda a, b: torch.where(a > b, a, a * b),
    ),
}
LOGIC: Ops = {
    "logical_and": (lambda mb, n, a, b: mb.logical_and(x=a, y=b, name=n), lambda a, b: a & b),
    "logical_or": (lambda mb, n, a, b: mb.logical_or(x=a, y=b, name=n), lambda a, b: a | b),
    "logical_xor": (lambda mb, n, a, b: mb.logical_xor(x=a, y=b, name=n), lambda a, b: a ^ b),
    "logical_not": (lambda mb, n, a, b: mb.logical_not(x=a, name=n), lambda a, b: ~a),  # noqa: ARG005
}
WHOLE: Ops = {
    name: BINARY[name]
    for name in ("add", "sub", "mul", "maximum", "minimum", "equal", "less", "greater_equal")
} | {
    "floor_div": (lambda mb, n, a, b: mb.floor_div(x=a, y=b, name=n), lambda a, b: a // b),
    "mod": (lambda mb, n, a, b: mb.mod(x=a, y=b, name=n), torch.remainder),
    "to_float": (
        lambda mb, n, a, b: mb.cast(x=mb.add(x=a, y=b), dtype="fp32", name=n),
        lambda a, b: (a + b).float(),
    ),
    "to_bool": (
        lambda mb, n, a, b: mb.cast(  # noqa: ARG005
            x=mb.cast(x=a, dtype="bool"), dtype="int32", name=n
        ),
        lambda a, b: (a != 0).int(),  # noqa: ARG005
    ),
}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_functions_of_one_number(tmp_path: Path, dtype: str, mode: str) -> None:
    assert wrong(tmp_path, UNARY, [numbers(2, 3, 4, 5)], [dtype], mode) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_functions_of_a_positive_number(tmp_path: Path, dtype: str, mode: str) -> None:
    assert wrong(tmp_path, POSITIVE, [numbers(3, 7).abs() + 0.1], [dtype], mode) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_functions_of_a_number_within_one(tmp_path: Path, dtype: str, mode: str) -> None:
    assert wrong(tmp_path, WITHIN_ONE, [torch.linspace(-0.9, 0.9, 7)], [dtype], mode) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
@pytest.mark.parametrize(
    "shapes", [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (3, 1)), ((1, 4), (5, 1)), ((3,), (1,))]
)
def test_functions_of_two_numbers(
    tmp_path: Path, dtype: str, mode: str, shapes: tuple[tuple[int, ...], ...]
) -> None:
    a, b = (numbers(*shape, seed=seed) for seed, shape in enumerate(shapes))
    b = torch.where(b.abs() < 0.1, torch.full((), 0.5), b)
    a.view(-1)[:2] = b.view(-1)[:2] if b.numel() > 1 else b  # some are equal

    assert wrong(tmp_path, BINARY, [a, b], [dtype, dtype], mode) == {}


def test_logic(tmp_path: Path) -> None:
    a, b = numbers(3, 5) > 0, numbers(3, 5, seed=1) > 0

    faults = {}
    for name, (mil, right) in LOGIC.items():
        ops: Ops = {
            name: (
                lambda mb, n, a, b, mil=mil: mb.cast(
                    x=mil(mb, n + "_b", mb.cast(x=a, dtype="bool"), mb.cast(x=b, dtype="bool")),
                    dtype="int32",
                    name=n,
                ),
                lambda a, b, right=right: right(a.bool(), b.bool()).int(),
            )
        }
        faults |= wrong(tmp_path / name, ops, [a.int(), b.int()], ["int32", "int32"], "typed")

    assert faults == {}


def test_whole_numbers(tmp_path: Path) -> None:
    a = torch.tensor([[7, -7, 0, 5], [3, 3, -2, 100]], dtype=torch.int32)
    b = torch.tensor([2, 3, 4, -5], dtype=torch.int32)

    assert wrong(tmp_path, WHOLE, [a, b], ["int32", "int32"], "typed") == {}
