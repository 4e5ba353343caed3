"""coremltools' protobuf definitions of models and ML Programs."""

from __future__ import annotations

import logging
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from app.core.errors import ModelDamaged


def parse_model(content: bytes, file: str) -> Any:
    """``content`` as a Core ML model (``Model.proto``). Raises ModelDamaged: "truncated".

    Nesting is bounded by protobuf itself (100 messages deep).
    """
    model = _definitions().Model()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise ModelDamaged(file, "truncated") from error
    return model


def _definitions() -> Any:
    """The generated module; its package logs at import which versions it was not tested with,
    and which parts only macOS has. None of it is about the definitions."""
    log = logging.getLogger("coremltools")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        from coremltools.proto import Model_pb2
    finally:
        log.setLevel(level)
    return Model_pb2
