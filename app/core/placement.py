"""Where the networks run."""

from __future__ import annotations

from enum import StrEnum


class Placement(StrEnum):
    """Where the networks run, best first on a Mac. The value is stored with each picture."""

    COREML_NEURAL_ENGINE = "Core ML, Neural Engine"
    COREML_GPU = "Core ML, GPU"
    MPS = "MPS"
    CUDA = "CUDA"
    CPU = "CPU"
