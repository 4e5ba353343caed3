"""Makes a real package with the interface of a small UNet: a convolution, told when by a sinusoid.

python tests/engine/coreml/real_package.py PACKAGE
"""

from __future__ import annotations

import sys
from typing import Any

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb  # noqa: N813
from coremltools.converters.mil.mil import types


def make(file: str) -> None:
    weights = np.random.default_rng(0).standard_normal((6, 4, 3, 3)).astype(np.float16)

    @mb.program(
        input_specs=[
            mb.TensorSpec(shape=(2, 4, 8, 8), dtype=types.fp16),
            mb.TensorSpec(shape=(2,), dtype=types.fp32),
            mb.TensorSpec(shape=(2, 1), dtype=types.int32),
        ],
        opset_version=ct.target.iOS17,
    )
    def program(sample: Any, timestep: Any, ids: Any) -> Any:
        told = mb.cast(x=mb.sin(x=mb.mul(x=timestep, y=0.3)), dtype="fp16")
        told = mb.reshape(x=told, shape=(2, 1, 1, 1))
        words = mb.reshape(x=mb.cast(x=ids, dtype="fp16"), shape=(2, 1, 1, 1))
        moved = mb.conv(x=mb.add(x=sample, y=told), weight=weights, pad_type="same")
        return mb.add(x=moved, y=words, name="noise_pred")

    model = ct.convert(
        program,
        minimum_deployment_target=ct.target.macOS14,
        compute_precision=ct.precision.FLOAT32,  # keep each type as it is
        skip_model_load=True,
    )
    model.save(file)


if __name__ == "__main__":
    make(sys.argv[1])
