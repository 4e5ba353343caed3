"""Compressed constants: bit for bit what coremltools itself unpacks them to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.convert.mil import operations as operations_table
from app.convert.mil import plan
from app.convert.mil.interpreter import Interpreter
from tests.convert.mil.programs import (
    coremltools_quiet,
    decibels,
    kinds_of,
    numbers,
    run,
    weight_file,
    write,
)

WIDE = numbers(64, 32, 3, 3, seed=1, scale=0.1)
FLAT = numbers(48, 64, seed=2, scale=0.1)


def network(mb: Any, a: Any) -> Any:
    y = mb.conv(x=a, weight=WIDE.numpy().astype("float16"), pad_type="same")
    y = mb.reduce_mean(x=y, axes=[2, 3])
    return mb.linear(x=y, weight=FLAT.numpy().astype("float16"), name="y")


def palettized(cto: Any, **asked: Any) -> Any:
    # Below 10,000 weights, coremltools asks scikit-learn for the means
    threshold = 10_000 if asked["mode"] == "kmeans" else 0
    config = cto.OpPalettizerConfig(weight_threshold=threshold, **asked)
    return lambda model: cto.palettize_weights(model, cto.OptimizationConfig(config))


def quantized(cto: Any, **asked: Any) -> Any:
    config = cto.OpLinearQuantizerConfig(weight_threshold=0, **asked)
    return lambda model: cto.linear_quantize_weights(model, cto.OptimizationConfig(config))


def pruned(cto: Any) -> Any:
    config = cto.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=0)
    return lambda model: cto.prune_weights(model, cto.OptimizationConfig(config))


KINDS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "uniform 8": (
        "iOS16",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=8),
    ),
    "uniform 6": (
        "iOS16",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=6),
    ),
    "uniform 4": (
        "iOS16",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=4),
    ),
    "uniform 2": (
        "iOS16",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=2),
    ),
    "kmeans 6": (
        "iOS16",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="kmeans", nbits=6),
    ),
    "uniform 6, new": (
        "iOS18",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=6),
    ),
    "uniform 3, new": (
        "iOS18",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=3),
    ),
    "uniform 1, new": (
        "iOS18",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="uniform", nbits=1),
    ),
    "kmeans 4, new": (
        "iOS18",
        "constexpr_lut_to_dense",
        lambda c: palettized(c, mode="kmeans", nbits=4),
    ),
    "groups": (
        "iOS18",
        "constexpr_lut_to_dense",
        lambda c: palettized(
            c, mode="uniform", nbits=4, granularity="per_grouped_channel", group_size=16
        ),
    ),
    "scaled": (
        "iOS18",
        "constexpr_blockwise_shift_scale",
        lambda c: palettized(c, mode="uniform", nbits=4, enable_per_channel_scale=True),
    ),
    "int8": (
        "iOS16",
        "constexpr_affine_dequantize",
        lambda c: quantized(c, mode="linear_symmetric"),
    ),
    "uint8": (
        "iOS16",
        "constexpr_affine_dequantize",
        lambda c: quantized(c, mode="linear", dtype="uint8"),
    ),
    "int8, new": (
        "iOS18",
        "constexpr_blockwise_shift_scale",
        lambda c: quantized(c, mode="linear_symmetric"),
    ),
    "uint8, new": (
        "iOS18",
        "constexpr_blockwise_shift_scale",
        lambda c: quantized(c, mode="linear", dtype="uint8"),
    ),
    "int4 blocks": (
        "iOS18",
        "constexpr_blockwise_shift_scale",
        lambda c: quantized(
            c, mode="linear_symmetric", dtype="int4", granularity="per_block", block_size=16
        ),
    ),
    "uint4": (
        "iOS18",
        "constexpr_blockwise_shift_scale",
        lambda c: quantized(c, mode="linear", dtype="uint4", granularity="per_tensor"),
    ),
    "sparse": ("iOS16", "constexpr_sparse_to_dense", pruned),
    "sparse, new": ("iOS18", "constexpr_sparse_to_dense", pruned),
}


def compressed(folder: Path, kind: str) -> tuple[Path, Path]:
    """A compressed package, and the same unpacked by coremltools."""
    target, _, make = KINDS[kind]
    source = write(folder / "source.mlpackage", network, [(1, 32, 6, 6)], "fp16", target)
    small, plain = folder / "small.mlpackage", folder / "plain.mlpackage"
    with coremltools_quiet() as ct:
        import coremltools.optimize.coreml as cto

        model = ct.models.MLModel(str(source), skip_model_load=True)
        model = make(cto)(model)
        model.save(str(small))
        model = cto.decompress_weights(model)
        model.save(str(plain))
        del model
    return small, plain


def unpacked(path: Path) -> list[torch.Tensor]:
    """The weights of the convolution and the linear layer, as they are used."""
    function = Interpreter.open(path)._plan.steps
    wanted = {"conv", "linear"}
    sources = [
        sources[0]
        for step in function
        if step.call.operation.type in wanted
        for name, _, sources in step.call.later
        if name == "weight"
    ] + [
        step.call.fixed["weight"]
        for step in function
        if step.call.operation.type in wanted and "weight" in step.call.fixed
    ]
    return [
        one if isinstance(one, torch.Tensor) else one.read()  # type: ignore[union-attr]
        for one in sources
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_unpacked_as_coremltools_does(tmp_path: Path, kind: str) -> None:
    small, plain = compressed(tmp_path, kind)
    given = numbers(1, 32, 6, 6, seed=3)

    assert KINDS[kind][1] in kinds_of(small)
    assert not any(one.startswith("constexpr") for one in kinds_of(plain))
    assert weight_file(small).stat().st_size < weight_file(plain).stat().st_size
    for found, expected in zip(unpacked(small), unpacked(plain), strict=True):
        assert torch.equal(found.float(), expected.float())
    for mode in ("fp32", "typed"):
        assert torch.equal(run(small, [given], mode)["y"], run(plain, [given], mode)["y"])


def test_the_better_palette_is_nearer_to_the_source(tmp_path: Path) -> None:
    given = numbers(1, 32, 6, 6, seed=3)
    near = {}
    for kind in ("uniform 4", "uniform 6", "uniform 8"):
        small, _ = compressed(tmp_path / kind, kind)
        source = run(tmp_path / kind / "source.mlpackage", [given])["y"]
        near[kind] = decibels(run(small, [given])["y"], source)

    assert near["uniform 4"] < near["uniform 6"] < near["uniform 8"]


@pytest.mark.parametrize("kept", [0, 1 << 16, 1 << 30])
def test_what_is_kept_between_runs_changes_nothing(
    tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SMALL", 0)
    small, plain = compressed(tmp_path, "uniform 6")
    given = {"a": numbers(1, 32, 6, 6, seed=3)}
    expected = run(plain, list(given.values()))["y"]
    interpreter = Interpreter.open(small, kept=kept)

    for _ in range(2):
        assert torch.equal(interpreter.run(given)["y"], expected)


def test_a_table_of_vectors(tmp_path: Path) -> None:
    """coremltools makes these only from scikit-learn; they are written out here."""
    indices = np.random.default_rng(0).integers(0, 4, (6, 5)).astype(np.uint8)
    lut = numbers(2, 1, 4, 3, seed=4).numpy()

    def body(mb: Any, a: Any) -> Any:
        from coremltools.converters.mil.mil import types

        packed = indices.astype(types.np_uint2_dtype)
        dense = mb.constexpr_lut_to_dense(indices=packed, lut=lut, vector_axis=0, name="dense")
        return mb.add(x=dense, y=a, name="y")

    path = write(tmp_path / "v.mlpackage", body, [(18, 5)], "fp32", "iOS18")

    expected = np.empty((18, 5), np.float32)
    for row in range(6):
        for column in range(5):
            expected[3 * row : 3 * row + 3, column] = lut[row // 3, 0, indices[row, column]]
    assert torch.equal(run(path, [torch.zeros(18, 5)])["y"], torch.from_numpy(expected))


def test_a_constant_that_is_widened(tmp_path: Path) -> None:
    half = numbers(3, 4, seed=5)

    def body(mb: Any, a: Any) -> Any:
        source = half.numpy().astype("float16")
        wide = mb.constexpr_cast(source_val=source, output_dtype="fp32")
        return mb.mul(x=wide, y=a, name="y")

    path = write(tmp_path / "p.mlpackage", body, [(3, 4)])

    assert torch.equal(run(path, [torch.full((3, 4), 3.0)], "typed")["y"], half * 3)


@pytest.mark.parametrize(("kept", "times"), [(0, 4), (WIDE.numel() * 2, 3), (1 << 30, 2)])
def test_only_so_much_is_kept_between_runs(
    tmp_path: Path, kept: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two constants in two runs; the first alone fits into the middle one."""
    small, _ = compressed(tmp_path, "uniform 6")
    kernel = operations_table.CONSTANTS["constexpr_lut_to_dense"]
    asked: list[int] = []

    def counted(**arguments: Any) -> torch.Tensor:
        asked.append(1)
        return kernel.function(**arguments)  # type: ignore[no-any-return]

    monkeypatch.setattr(plan, "SMALL", 0)
    monkeypatch.setitem(
        operations_table.CONSTANTS,  # type: ignore[arg-type]
        "constexpr_lut_to_dense",
        replace(kernel, function=counted),
    )
    interpreter = Interpreter.open(small, kept=kept)

    for _ in range(2):
        interpreter.run({"a": numbers(1, 32, 6, 6)})

    assert len(asked) == times
