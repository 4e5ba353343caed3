"""scripts/bootstrap.sh on machines that lack something, with a Python and a pip that only note."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "awk", "cat", "cksum", "dirname", "rm", "sed", "sort", "tr", "mkdir", "cp", "env")
TEST_PROGRAMS = ("Xvfb", "xdotool", "pcmanfm", "xclip", "strace", "shellcheck", "xorriso", "7z")

# Fits, makes a .venv that holds itself, and writes down what pip was asked for.
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip") shift 2; echo "$*" >>"$NOTES"; [ ! -e "$NOTES.fail" ] ;;
"--version "*) echo "Python 3.12.1" ;;
"-c import ensurepip"*) [ ! -e "$NOTES.no-venv" ] ;;
esac
"""


@dataclass
class Machine:
    """A checkout in a folder with a space, and a PATH with nothing on it but what is put there."""

    checkout: Path
    programs: Path
    notes: Path

    def put(self, name: str, script: str) -> None:
        file = self.programs / name
        file.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n", "utf-8")
        file.chmod(0o755)

    def run(self, want: str = "run", **environ: str) -> tuple[int, str]:
        settings = {"PATH": str(self.programs), "NOTES": str(self.notes), **environ}
        done = subprocess.run(
            ["sh", "scripts/bootstrap.sh", want],
            cwd=self.checkout,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def asked_of_pip(self) -> list[str]:
        return self.notes.read_text("utf-8").splitlines() if self.notes.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    checkout = tmp_path / "a checkout"
    (checkout / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "bootstrap.sh", checkout / "scripts")
    shutil.copy(ROOT / "pyproject.toml", checkout)
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (programs / tool).symlink_to(os.path.realpath(found))
    made = Machine(checkout, programs, tmp_path / "pip.txt")
    made.put("uname", "echo Linux")
    return made


@pytest.fixture
def linux(machine: Machine) -> Machine:
    machine.put("python3.12", PYTHON)
    machine.put("ldd", "exit 0")
    for program in TEST_PROGRAMS:
        machine.put(program, "exit 0")
    return machine


def mac(machine: Machine, arm: str = "1", version: str = "14.5") -> Machine:
    machine.put("uname", "echo Darwin")
    machine.put("sysctl", f"echo {arm}")
    machine.put("sw_vers", f"echo {version}")
    return machine


def test_the_first_run_installs_and_the_second_calls_no_pip(linux: Machine) -> None:
    first, _ = linux.run()
    asked = linux.asked_of_pip()
    second, said = linux.run()

    assert (first, second) == (0, 0)
    assert len(asked) == 1
    assert asked[0].endswith("install --disable-pip-version-check --no-input -e .")
    assert linux.asked_of_pip() == asked
    assert said == ""


def test_the_tests_set_up_holds_the_program_s(linux: Machine) -> None:
    linux.run("test")
    linux.run("check")
    code, _ = linux.run("run")

    assert code == 0
    assert [asked.split()[-1] for asked in linux.asked_of_pip()] == [".[test]"]


def test_the_set_up_for_packaging_holds_the_tests(linux: Machine) -> None:
    linux.run("test")
    linux.run("packaging")
    linux.run("packaging")
    code, said = linux.run("test")

    assert code == 0
    assert said == ""
    assert [asked.split()[-1] for asked in linux.asked_of_pip()] == [
        ".[test]",
        ".[test,packaging]",
    ]


def test_a_mac_freezes_what_is_locked_and_nothing_else(machine: Machine) -> None:
    mac(machine).put("python3.11", PYTHON)
    code, _ = machine.run("packaging")

    assert code == 0
    locked, own = machine.asked_of_pip()
    assert "--require-hashes --only-binary :all:" in locked
    assert locked.endswith("-r packaging/requirements-macos-arm64.txt")
    assert "--no-deps" in own
    assert own.endswith("-e .")


def test_a_mac_freezes_with_the_python_of_the_lock(machine: Machine) -> None:
    other = PYTHON.replace("esac", '"-c import sys; sys.exit"*) exit 1 ;;\nesac')
    mac(machine).put("python3.12", other)
    code, said = machine.run("packaging")

    assert code == 1
    assert "made with Python 3.11" in said
    assert machine.asked_of_pip() == []


def test_a_changed_lock_is_installed(machine: Machine) -> None:
    mac(machine).put("python3.11", PYTHON)
    (machine.checkout / "packaging").mkdir()
    lock = machine.checkout / "packaging" / "requirements-macos-arm64.txt"
    lock.write_text("one==1.0\n", "utf-8")
    machine.run("packaging")
    lock.write_text("one==1.1\n", "utf-8")
    machine.run("packaging")

    assert len(machine.asked_of_pip()) == 4


def test_a_changed_pin_is_installed(linux: Machine) -> None:
    linux.run()
    with (linux.checkout / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    linux.run()

    assert len(linux.asked_of_pip()) == 2


def test_a_moved_checkout_is_set_up_again(linux: Machine) -> None:
    linux.run()
    moved = linux.checkout.with_name("moved here")
    linux.checkout.rename(moved)
    code, said = Machine(moved, linux.programs, linux.notes).run()

    assert code == 0
    assert "Making .venv" in said
    assert len(linux.asked_of_pip()) == 2


def test_after_a_failed_installation_the_next_run_tries_again(linux: Machine) -> None:
    fail = linux.notes.with_name("pip.txt.fail")
    fail.touch()
    code, said = linux.run()
    fail.unlink()
    again, _ = linux.run()

    assert code == 1
    assert "pip did not install everything" in said
    assert "run the same command again" in said
    assert again == 0
    assert len(linux.asked_of_pip()) == 2


def test_without_a_python_on_linux_it_names_debian_s_package(machine: Machine) -> None:
    code, said = machine.run()

    assert code == 1
    assert "no Python 3.11, 3.12 or 3.13 was found" in said
    assert "sudo apt-get install python3 python3-venv" in said
    assert not (machine.checkout / ".venv").exists()


def test_a_mac_s_own_python_is_too_old_and_it_says_how_to_get_another(machine: Machine) -> None:
    mac(machine).put("python3", "exit 1")  # 3.9 does not fit
    code, said = machine.run()

    assert code == 1
    assert "brew install python@3.12" in said
    assert "python.org" in said


def test_a_python_that_was_chosen_and_does_not_fit_is_named(linux: Machine) -> None:
    linux.put("python2", "exit 1")
    code, said = linux.run(PYTHON="python2")

    assert code == 1
    assert "PYTHON=python2 is not a Python 3.11, 3.12 or 3.13" in said


def test_a_python_that_was_chosen_is_used(linux: Machine) -> None:
    linux.put("my python", PYTHON.replace("3.12.1", "3.13.0"))
    code, said = linux.run(PYTHON="my python")

    assert code == 0
    assert "Python 3.13.0" in said


def test_a_debian_python_without_venv_names_the_package(linux: Machine) -> None:
    linux.notes.with_name("pip.txt.no-venv").touch()
    code, said = linux.run()

    assert code == 1
    assert "sudo apt-get install python3-venv" in said


def test_an_intel_mac_is_told_so(machine: Machine) -> None:
    code, said = mac(machine, arm="0").run()

    assert code == 1
    assert "Apple silicon" in said


def test_an_old_macos_is_told_what_it_needs(machine: Machine) -> None:
    code, said = mac(machine, version="13.6.1").run()

    assert code == 1
    assert "macOS 13.6.1" in said
    assert "macOS 14" in said


def test_missing_qt_libraries_become_one_apt_line(linux: Machine) -> None:
    missing = ("libxcb-cursor.so.0", "libEGL.so.1", "libdbus-1.so.3", "libglib-2.0.so.0")
    linux.put("ldd", "\n".join(f"echo '\t{library} => not found'" for library in missing))
    code, said = linux.run(DISPLAY=":0")

    assert code == 1
    assert "sudo apt-get install libdbus-1-3 libegl1 libglib2.0-0 libxcb-cursor0\n" in said


def test_the_tests_name_the_programs_they_miss(linux: Machine) -> None:
    for program in TEST_PROGRAMS:
        (linux.programs / program).unlink()
    code, said = linux.run("test")

    assert code == 1
    missing = "xvfb xdotool pcmanfm xclip strace shellcheck xorriso p7zip-full"
    assert f"sudo apt-get install {missing}\n" in said


def test_an_unknown_set_up_is_refused_before_anything_is_made(linux: Machine) -> None:
    code, said = linux.run("everything")

    assert code == 1
    assert "run, check, test and packaging" in said
    assert not (linux.checkout / ".venv").exists()
