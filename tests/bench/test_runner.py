from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.bench.runner import (
    NotMeasured,
    Reading,
    Runner,
    environment,
    first_core,
    interleave,
)

BURN = """
import subprocess, sys, time
from app.bench.watch import write

def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

burn(float(sys.argv[1]))
if sys.argv[2] != "0":
    code = "import time\\nu=time.process_time()+" + sys.argv[2]
    code += "\\nwhile time.process_time()<u: pass"
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
write(sys.argv[sys.argv.index("--out") + 1], {"asked": float(sys.argv[1])}, {"said": "yes"})
"""


@pytest.fixture
def runner() -> Runner:
    return Runner(core=first_core(), limit_s=60.0)


def script(folder: Path, text: str) -> Path:
    file = folder / "script.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_script_tells_its_numbers_and_costs_what_it_burns(tmp_path: Path, runner: Runner) -> None:
    burn = script(tmp_path, BURN)
    less, more = runner.script(burn, 0.2, 0), runner.script(burn, 0.6, 0)
    assert less.number("asked") == 0.2
    assert less.facts == {"said": "yes"}
    assert less.cpu >= 0.2
    assert more.cpu / less.cpu > 1.5
    assert less.wall > 0
    assert 1_000_000 < less.peak < 1_000_000_000


def test_the_cost_of_a_child_process_is_counted(tmp_path: Path, runner: Runner) -> None:
    assert runner.script(script(tmp_path, BURN), 0.0, 0.5).cpu >= 0.5


def test_the_cost_of_an_orphan_is_counted_where_the_system_hands_it_on(
    tmp_path: Path, runner: Runner
) -> None:
    orphan = """
import subprocess, sys
from app.bench.watch import write
code = "import time\\nu=time.process_time()+0.5\\nwhile time.process_time()<u: pass"
subprocess.Popen([sys.executable, "-I", "-c", code])
write(sys.argv[-1], {})
"""
    least = 0.5 if sys.platform == "linux" else 0.0
    assert runner.script(script(tmp_path, orphan)).cpu >= least


def test_a_number_that_was_not_told_is_named(tmp_path: Path, runner: Runner) -> None:
    reading = runner.script(script(tmp_path, BURN), 0.0, 0)
    with pytest.raises(NotMeasured, match="no speed"):
        reading.number("speed")


def test_a_script_that_fails_is_not_measured_and_its_words_are_kept(
    tmp_path: Path, runner: Runner
) -> None:
    with pytest.raises(NotMeasured, match=r"(?s)script\.py failed.*ZeroDivisionError"):
        runner.script(script(tmp_path, "1 / 0"))


def test_a_script_that_tells_nothing_is_not_measured(tmp_path: Path, runner: Runner) -> None:
    with pytest.raises(NotMeasured, match="wrote no result"):
        runner.script(script(tmp_path, "pass"))


def test_a_script_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    hang = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(60)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
time.sleep(60)
"""
    with pytest.raises(NotMeasured, match="took over"):
        Runner(core=None, limit_s=2.0).script(script(tmp_path, hang))
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < until:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.02)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_measured_process_has_one_thread_no_network_and_folders_of_its_own(
    tmp_path: Path, runner: Runner
) -> None:
    look = """
import os, sys
from app.bench.watch import write
names = ("OMP_NUM_THREADS", "HF_HUB_OFFLINE", "QT_QPA_PLATFORM", "EASEL_HOME", "PYTHONSTARTUP")
cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0]
write(sys.argv[-1], {"cores": len(cores)}, {name: os.environ.get(name, "") for name in names})
"""
    reading = runner.script(script(tmp_path, look))
    assert reading.facts["OMP_NUM_THREADS"] == "1"
    assert reading.facts["HF_HUB_OFFLINE"] == "1"
    assert reading.facts["QT_QPA_PLATFORM"] == "offscreen"
    assert reading.facts["EASEL_HOME"] != os.environ["EASEL_HOME"]
    if runner.core is not None:
        assert reading.number("cores") == 1


def test_the_environment_drops_what_would_change_python(tmp_path: Path) -> None:
    found = environment(tmp_path, {"PYTHONSTARTUP": "x", "PYTHONPATH": "kept", "LANG": "C"})
    assert "PYTHONSTARTUP" not in found
    assert found["PYTHONPATH"].endswith(f"{os.pathsep}kept")
    assert found["LANG"] == "C"


def test_pairs_are_taken_in_turn() -> None:
    order: list[str] = []

    def side(name: str) -> Reading:
        order.append(name)
        return Reading(1.0, 1.0, 1, {"n": len(order)}, {})

    ours, peer = interleave(lambda: side("a"), lambda: side("b"), 3)
    assert "".join(order) == "ababab"
    assert [reading.number("n") for reading in ours] == [1, 3, 5]
    assert [reading.number("n") for reading in peer] == [2, 4, 6]


def test_an_absent_side_has_no_readings() -> None:
    ours, peer = interleave(None, lambda: Reading(1.0, 1.0, 1, {}, {}), 2)
    assert ours == []
    assert len(peer) == 2
