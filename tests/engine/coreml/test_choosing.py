"""The table of Macs, and who may overrule it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.coreml_manifest import (
    Attention,
    CoreMLManifest,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
)
from app.core.mac import Mac
from app.core.model import Family
from app.core.placement import Placement
from app.engine.coreml.choosing import Choice, Variant, Why, choose, stages, variant
from app.engine.coreml.compute_plan import Shares
from app.engine.coreml.trying import Trial
from app.engine.coreml.verdicts import PartVerdict, Verdict

GB = 2**30
NEURAL, GPU = Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU
AIR = Mac("Apple M1", 4, 7, 8 * GB, (14, 5), "23F79")
NEW_AIR = Mac("Apple M3", 4, 10, 16 * GB, (15, 1), "24B83")
PRO = Mac("Apple M1 Pro", 8, 16, 16 * GB, (15, 1), "24B83")
OLD_MAX = Mac("Apple M1 Max", 8, 32, 64 * GB, (14, 5), "23F79")
ULTRA = Mac("Apple M2 Ultra", 16, 76, 128 * GB, (15, 1), "24B83")
INTEL = Mac("Intel(R) Core(TM) i7", 0, 0, 32 * GB, (15, 1), "24B83", apple_silicon=False)
OLD = replace(AIR, macos=(13, 6))
BOTH = (Units.CPU_AND_NEURAL_ENGINE, Units.CPU_AND_GPU, Units.CPU)


def model(
    units: tuple[Units, ...] = BOTH,
    family: Family = Family.SD1,
    target: int = 14,
    name: str = "main",
) -> CoreMLManifest:
    unet = PartSpec("Unet.mlpackage", (FunctionSpec(name, (), ()),), units, target=target)
    return CoreMLManifest("A model", family, {Part.UNET: unet}, {}, 4, 0.18215, 8)


def trial(placement: Placement, step_s: float, memory: int = GB) -> Trial:
    return Trial(placement, "24B83", step_s, 1.0, memory)


def failed(placement: Placement) -> Verdict:
    return Verdict(placement, "24B83", (), "unet", "hang")


def fallen(placement: Placement) -> Verdict:
    part = PartVerdict(Part.UNET, 1.0, 1.0, 1.0, Shares(0.3, 0.0, 0.7))
    return Verdict(placement, "24B83", (part,))


@pytest.mark.parametrize(
    ("mac", "ladder"),
    [
        (AIR, (NEURAL, GPU)),
        (NEW_AIR, (NEURAL, GPU)),
        (PRO, (GPU, NEURAL)),
        (OLD_MAX, (NEURAL, GPU)),
        (ULTRA, (GPU, NEURAL)),
        (INTEL, ()),
        (OLD, ()),
    ],
)
def test_the_chip_decides_at_first(mac: Mac, ladder: tuple[Placement, ...]) -> None:
    why = Why.CHIP if ladder else Why.NOTHING
    assert choose(mac, model(), {}, {}) == Choice(ladder, why)


@pytest.mark.parametrize(
    ("mac", "expected"),
    [
        (AIR, Variant(NEURAL, Attention.SPLIT_EINSUM, 6, 14)),
        (ULTRA, Variant(GPU, Attention.SDPA, 16, 15)),
        (OLD_MAX, Variant(NEURAL, Attention.SPLIT_EINSUM, 6, 14)),
        (INTEL, None),
        (OLD, None),
    ],
)
def test_variants(mac: Mac, expected: Variant | None) -> None:
    assert variant(mac) == expected


@pytest.mark.parametrize(("mac", "expected"), [(AIR, True), (PRO, False)])
def test_8_gb_hold_one_network_at_a_time(mac: Mac, expected: bool) -> None:
    assert stages(mac) is expected


@pytest.mark.parametrize(
    ("mac", "manifest", "ladder"),
    [
        (PRO, model(units=(Units.CPU_AND_NEURAL_ENGINE, Units.CPU)), (NEURAL,)),
        (AIR, model(units=(Units.CPU_AND_GPU,)), (GPU,)),
        (AIR, model(units=(Units.CPU,)), ()),
        (AIR, model(units=()), (NEURAL, GPU)),
        (AIR, model(target=15), ()),
        (NEW_AIR, model(target=15), (NEURAL, GPU)),
        (AIR, model(name="512x512"), ()),
        (NEW_AIR, model(name="512x512"), (NEURAL, GPU)),
        (AIR, model(family=Family.SDXL), ()),
        (NEW_AIR, model(family=Family.SDXL), (NEURAL, GPU)),
    ],
)
def test_the_model_has_to_be_made_for_it(
    mac: Mac, manifest: CoreMLManifest, ladder: tuple[Placement, ...]
) -> None:
    assert choose(mac, manifest, {}, {}).ladder == ladder


def test_what_was_tried_overrules_the_table() -> None:
    slow = {NEURAL: trial(NEURAL, 0.6), GPU: trial(GPU, 0.4)}
    assert choose(AIR, model(), {}, slow) == Choice((GPU, NEURAL), Why.TRIAL)
    assert choose(AIR, model(), {}, {GPU: slow[GPU]}) == Choice((NEURAL, GPU), Why.CHIP)


def test_what_failed_here_is_not_tried_again() -> None:
    assert choose(AIR, model(), {NEURAL: failed(NEURAL)}, {}).ladder == (GPU,)
    both = {NEURAL: failed(NEURAL), GPU: failed(GPU)}
    assert choose(AIR, model(), both, {}, GPU) == Choice((), Why.NOTHING)


def test_what_macos_moved_to_the_processor_comes_last() -> None:
    fast = {NEURAL: trial(NEURAL, 0.2), GPU: trial(GPU, 0.4)}
    assert choose(AIR, model(), {NEURAL: fallen(NEURAL)}, fast).ladder == (GPU, NEURAL)


def test_what_fills_the_memory_is_left_out() -> None:
    large = {GPU: trial(GPU, 0.1, memory=7 * GB)}
    assert choose(AIR, model(), {}, large).ladder == (NEURAL,)
    assert choose(PRO, model(), {}, large).ladder == (GPU, NEURAL)


def test_a_person_overrules_all_but_a_failure() -> None:
    fast = {NEURAL: trial(NEURAL, 0.2), GPU: trial(GPU, 0.4)}
    assert choose(AIR, model(), {}, fast, GPU) == Choice((GPU, NEURAL), Why.PERSON)
    assert choose(AIR, model(), {GPU: failed(GPU)}, {}, GPU) == Choice((NEURAL,), Why.CHIP)
    assert choose(AIR, model(), {}, {}, Placement.MPS) == Choice((NEURAL, GPU), Why.CHIP)
