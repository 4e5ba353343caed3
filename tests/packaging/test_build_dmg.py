"""build_dmg.sh with stand-ins that only note: order, flags, and what it says when something fails.

That Apple's own programs do what they are asked is seen on a Mac.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = "Developer ID Application: A. Painter (TEAM123456)"
SIGNED = ("--identity", IDENTITY, "--notary-profile", "easel")
REAL = ("env", "dirname", "tail", "tr", "sed", "grep", "head", "mkdir", "rm", "cat", "cp", "chmod")

# Writes down what it was asked; fails where $FAIL is in that, at most $TIMES times.
STAND_IN = """#!/bin/sh
asked="${{0##*/}} $*"
printf '%s\\n' "$asked" >>"{notes}"
fail=$(cat "{notes}.fail" 2>/dev/null)
left=$(cat "{notes}.times" 2>/dev/null || echo 1000)
case $asked in
*"${{fail:-nothing at all}}"*)
    if [ "$left" -gt 0 ]; then
        echo $((left - 1)) >"{notes}.times"
        echo "$asked: no, not today"
        exit 1
    fi
    ;;
esac
{more}
"""
PROGRAM = 'env | sed "s/^/with /" >>"{notes}.environment"'
FREEZE = """
case $* in
*PyInstaller*)
    env | grep -E "^(PYINSTALLER|EASEL_SIGN)" >>"{notes}.freezing"
    mkdir -p dist/Easel.app/Contents/MacOS dist/Easel
    cp "{program}" dist/Easel.app/Contents/MacOS/Easel
    cp "{program}" dist/Easel/Easel
    ;;
*dmgbuild*) echo image >"$(echo "$*" | sed 's/.* Easel //')" ;;
*version.py*) echo 1.2.3 ;;
esac
"""
NOTARY = """
case $* in
*submit*)
    echo "  id: 11-22"
    echo "  status: $(cat "{notes}.verdict" 2>/dev/null || echo Accepted)"
    ;;
esac
"""
ATTACH = """
case $1 in
attach)
    while [ "$1" != -mountpoint ]; do shift; done
    mkdir -p "$2/Easel.app/Contents/MacOS"
    cp "{program}" "$2/Easel.app/Contents/MacOS/Easel"
    ;;
esac
"""

ON_A_MAC = (
    "freeze",
    "check bundle",
    "verify signature",
    "self-test",
    "archive app",
    "notarise app",
    "staple app",
    "validate app",
    "make dmg",
    "sign dmg",
    "notarise dmg",
    "staple dmg",
    "validate dmg",
    "verify dmg",
    "assess dmg",
    "mount",
    "verify mounted app",
    "validate mounted app",
    "self-test",
    "unmount",
    "checksum",
)
CALLS = {
    "freeze": r"python -m PyInstaller packaging/app.spec --noconfirm --distpath dist .*",
    "check bundle": r"python packaging/check_bundle.py dist/Easel.app",
    "verify signature": r"codesign --verify --deep --strict --verbose=2 dist/Easel.app",
    "self-test": r"Easel selftest",
    "archive app": r"ditto -c -k --keepParent dist/Easel.app build/Easel.zip",
    "notarise app": r"xcrun notarytool submit build/Easel.zip --keychain-profile easel --wait",
    "staple app": r"xcrun stapler staple dist/Easel.app",
    "validate app": r"xcrun stapler validate dist/Easel.app",
    "make dmg": r"python -m dmgbuild -s packaging/dmg_settings.py -D app=dist/Easel.app Easel .*",
    "sign dmg": rf"codesign --sign {re.escape(IDENTITY)} --timestamp .*\.dmg",
    "notarise dmg": r"xcrun notarytool submit .*\.dmg --keychain-profile easel --wait",
    "staple dmg": r"xcrun stapler staple .*\.dmg",
    "validate dmg": r"xcrun stapler validate .*\.dmg",
    "verify dmg": r"hdiutil verify .*\.dmg",
    "assess dmg": r"spctl --assess --type open --context context:primary-signature .*\.dmg",
    "mount": r"hdiutil attach .*\.dmg -nobrowse -readonly -mountpoint .*/build/mount",
    "verify mounted app": (
        r"codesign --verify --deep --strict --verbose=2 .*/build/mount/Easel.app"
    ),
    "validate mounted app": r"xcrun stapler validate .*/build/mount/Easel.app",
    "unmount": r"hdiutil detach .*/build/mount",
    "checksum": r"shasum -a 256 Easel-1.2.3-arm64.dmg",
}
FAULTS = {  # what fails, and the stage that is named
    "PyInstaller": "freeze",
    "check_bundle": "check bundle",
    "codesign --verify": "verify signature",
    "Easel selftest": "self-test",
    "ditto": "notarise app",
    "submit build/Easel.zip": "notarise app",
    "staple dist/Easel.app": "staple app",
    "validate dist/Easel.app": "staple app",
    "dmgbuild": "make dmg",
    "codesign --sign": "sign dmg",
    "submit dist/": "notarise dmg",
    "staple dist/Easel-": "staple dmg",
    "validate dist/Easel-": "staple dmg",
    "hdiutil verify": "verify dmg",
    "spctl": "verify dmg",
    "hdiutil attach": "self-test from the dmg",
    "verbose=2 BUILD/mount": "self-test from the dmg",
    "validate BUILD/mount": "self-test from the dmg",
    "hdiutil detach": "self-test from the dmg",
}


@dataclass
class Machine:
    """A checkout in a folder with a space, and a PATH with stand-ins on it."""

    checkout: Path
    programs: Path
    notes: Path
    shell: str

    def put(self, name: str, more: str = "") -> Path:
        file = self.programs / name
        known = {"notes": self.notes, "program": self.programs / "Easel"}
        file.write_text(STAND_IN.format(more=more.format(**known), **known), "utf-8")
        file.chmod(0o755)
        return file

    def tell(self, what: str, value: str) -> None:
        self.notes.with_name(f"{self.notes.name}.{what}").write_text(value, "utf-8")

    def told(self, what: str) -> str:
        return self.notes.with_name(f"{self.notes.name}.{what}").read_text("utf-8")

    def run(self, *flags: str, **environ: str) -> tuple[int, str]:
        settings = {
            "PATH": str(self.programs),
            "PYTHON": str(self.programs / "python"),
            "EASEL_RETRY_S": "0",
            "SECRET": "of the shell",
            **environ,
        }
        done = subprocess.run(
            [str(shutil.which(self.shell)), "build_dmg.sh", *flags],
            cwd=self.checkout,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def calls(self) -> list[str]:
        """What was asked for, without the questions about the machine."""
        if not self.notes.exists():
            return []
        lines = self.notes.read_text("utf-8").splitlines()
        return [line for line in lines if not line.startswith("uname") and "version.py" not in line]

    def stages(self) -> list[str]:
        """The calls by their names in CALLS; a call with other flags than there stays as it is."""
        names = []
        for call in self.calls():
            fit = (name for name, form in CALLS.items() if re.fullmatch(form, call))
            names.append(next(fit, call))
        return names


@pytest.fixture(params=["dash", "bash"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    shutil.copy(ROOT / "build_dmg.sh", checkout)
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in (*REAL, "sleep"):
        found = shutil.which(tool)
        assert found is not None, tool
        (programs / tool).symlink_to(os.path.realpath(found))
    made = Machine(checkout, programs, tmp_path / "notes", request.param)
    made.put("Easel", PROGRAM)
    made.put("python", FREEZE)
    for tool in ("shasum", "spctl", "ditto", "codesign"):
        made.put(tool)
    made.put("xcrun", NOTARY)
    made.put("hdiutil", ATTACH)
    made.put("uname", "case $1 in -m) echo arm64 ;; *) echo Darwin ;; esac")
    return made


def linux(machine: Machine) -> Machine:
    machine.put("uname", "case $1 in -m) echo x86_64 ;; *) echo Linux ;; esac")
    return machine


# --- the order ------------------------------------------------------------------------------


def the_whole_order_is_kept(machine: Machine) -> None:
    code, said = machine.run(*SIGNED)
    assert code == 0, said
    assert tuple(machine.stages()) == ON_A_MAC
    assert "Easel-1.2.3-arm64.dmg is signed, notarised and stapled." in said


def test_a_release_is_signed_notarised_and_stapled_app_first(machine: Machine) -> None:
    the_whole_order_is_kept(machine)


@pytest.mark.parametrize(
    "dropped",
    [
        'run xcrun stapler staple "$app"',
        'run codesign --verify --deep --strict --verbose=2 "$app"',
        '[ "$notarize" = no ] || run xcrun stapler validate "$mount/$NAME.app"',
        'run xcrun stapler staple "$dmg"',
        'selftest "$mount/$NAME.app/Contents/MacOS/$NAME"',
    ],
)
def test_a_script_that_leaves_a_stage_out_is_found_out(machine: Machine, dropped: str) -> None:
    script = machine.checkout / "build_dmg.sh"
    whole = script.read_text("utf-8")
    assert dropped in whole
    script.write_text(whole.replace(dropped, ":"), "utf-8")

    with pytest.raises(AssertionError):
        the_whole_order_is_kept(machine)


def test_a_script_that_staples_after_the_image_is_found_out(machine: Machine) -> None:
    script = machine.checkout / "build_dmg.sh"
    whole = script.read_text("utf-8")
    order = "    notarise_app\n    make_dmg\n"
    assert order in whole
    script.write_text(whole.replace(order, "    make_dmg\n    notarise_app\n"), "utf-8")

    with pytest.raises(AssertionError):
        the_whole_order_is_kept(machine)


def test_the_freeze_may_not_sign_badly_and_go_on(machine: Machine) -> None:
    machine.run(*SIGNED)

    assert sorted(machine.told("freezing").splitlines()) == [
        f"EASEL_SIGN_IDENTITY={IDENTITY}",
        "PYINSTALLER_STRICT_BUNDLE_CODESIGN_ERROR=1",
        "PYINSTALLER_VERIFY_BUNDLE_SIGNATURE=1",
    ]


def test_the_self_test_has_nothing_of_the_shell_around_it(machine: Machine) -> None:
    machine.run()

    names = {
        line.split("=")[0].removeprefix("with ") for line in machine.told("environment").split("\n")
    }
    assert {"HOME", "EASEL_HOME", "PATH", "QT_QPA_PLATFORM", "LANG"} <= names
    assert not names & {"SECRET", "PYTHON", "PYINSTALLER_VERIFY_BUNDLE_SIGNATURE"}


# --- what may be left out -------------------------------------------------------------------


def test_without_an_identity_it_is_named_unsigned_and_says_how_to_open_it(
    machine: Machine,
) -> None:
    code, said = machine.run(EASEL_SIGN_IDENTITY="of some other build")

    assert code == 0, said
    assert (machine.checkout / "dist" / "Easel-1.2.3-arm64-unsigned.dmg").exists()
    assert "Open Anyway" in said
    assert "EASEL_SIGN_IDENTITY" not in machine.told("freezing")
    assert not [call for call in machine.calls() if "--sign" in call or "xcrun" in call]
    assert not re.search(r"is signed|notarised|stapled", said)


def test_signed_only_is_not_called_notarised(machine: Machine) -> None:
    code, said = machine.run("--identity", IDENTITY, "--no-notarize")

    assert code == 0, said
    assert "signed and not notarised" in said
    assert not [call for call in machine.calls() if call.startswith(("xcrun", "ditto", "spctl"))]
    assert "sign dmg" in machine.stages()


def test_the_freeze_may_be_skipped_where_there_is_one(machine: Machine) -> None:
    without, said = machine.run("--skip-freeze")
    assert without == 1
    assert "there is no dist/Easel.app" in said
    machine.run()
    machine.notes.unlink()

    code, _ = machine.run("--skip-freeze")

    assert code == 0
    assert machine.stages()[0] == "check bundle"


def test_the_image_goes_where_it_is_wanted(machine: Machine) -> None:
    code, _ = machine.run("--output", "out here")

    assert code == 0
    assert (machine.checkout / "out here" / "Easel-1.2.3-arm64-unsigned.dmg").exists()


def test_a_dry_run_does_nothing(machine: Machine) -> None:
    code, said = machine.run("--dry-run", *SIGNED)

    assert code == 0
    assert machine.calls() == []
    assert sorted(path.name for path in machine.checkout.iterdir()) == ["build_dmg.sh"]
    assert "would run: xcrun stapler staple dist/Easel.app" in said
    assert "Nothing was done" in said
    assert "is signed" not in said


# --- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_it_stops_at_the_first_fault_and_says_where_the_log_is(
    machine: Machine, fault: str
) -> None:
    stage = FAULTS[fault]
    fault = fault.replace("BUILD", str(machine.checkout / "build"))
    machine.tell("fail", fault)
    code, said = machine.run(*SIGNED)

    log = f"build/logs/{stage.replace(' ', '-')}.log"
    assert code == 1
    assert f'stopped at "{stage}"' in said
    assert f"All it said is in {log}." in said
    assert "no, not today" in (machine.checkout / log).read_text("utf-8")
    assert not re.search(r"is signed|stapled\.", said)
    asked = [call for call in machine.calls() if "detach" not in call]
    assert fault == "hdiutil detach" or fault in asked[-1]


def test_an_image_that_is_mounted_when_it_fails_is_let_go(machine: Machine) -> None:
    machine.tell("fail", f"verbose=2 {machine.checkout}/build/mount")
    machine.run()

    assert machine.calls()[-1].startswith("hdiutil detach")
    assert machine.calls()[-1].endswith("-force")


def test_what_is_busy_is_asked_again(machine: Machine) -> None:
    machine.tell("fail", "hdiutil attach")
    machine.tell("times", "3")
    code, said = machine.run()

    assert code == 0, said
    assert machine.stages().count("mount") == 4


def test_what_stays_busy_is_given_up(machine: Machine) -> None:
    machine.tell("fail", "dmgbuild")
    code, _ = machine.run()

    assert code == 1
    assert machine.stages().count("make dmg") == 5


def test_apple_s_no_is_kept_with_its_reasons(machine: Machine) -> None:
    machine.tell("verdict", "Invalid")
    code, said = machine.run(*SIGNED)

    assert code == 1
    assert "Apple did not accept build/Easel.zip" in said
    assert machine.calls()[-1] == (
        "xcrun notarytool log 11-22 --keychain-profile easel build/logs/notary-11-22.json"
    )
    assert not re.search(r"is signed|stapled", said)


def test_the_credentials_may_be_in_a_keychain_of_their_own(machine: Machine) -> None:
    machine.tell("verdict", "Invalid")
    machine.run(*SIGNED, "--keychain", "/tmp/a keychain.db")

    asked, log = machine.calls()[-2:]
    assert asked.endswith("--keychain-profile easel --keychain /tmp/a keychain.db --wait")
    assert "--keychain /tmp/a keychain.db build/logs/notary-11-22.json" in log


def test_an_intel_mac_cannot_build(machine: Machine) -> None:
    machine.put("uname", "case $1 in -m) echo x86_64 ;; *) echo Darwin ;; esac")
    code, said = machine.run()

    assert code == 1
    assert "Apple silicon" in said
    assert machine.calls() == []


@pytest.mark.parametrize("tool", ["codesign", "xcrun", "ditto", "hdiutil", "shasum"])
def test_a_missing_tool_is_named_before_anything_is_done(machine: Machine, tool: str) -> None:
    (machine.programs / tool).unlink()
    code, said = machine.run()

    assert code == 1
    assert f"{tool} is missing" in said
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--identity", IDENTITY), "without --notary-profile"),
        (("--identity",), "--identity needs a value"),
        (("--sign",), "there is no option --sign"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    machine: Machine, flags: tuple[str, ...], words: str
) -> None:
    code, said = machine.run(*flags)

    assert code == 1
    assert words in said
    assert machine.calls() == []


def test_without_its_python_it_names_the_set_up(machine: Machine) -> None:
    code, said = machine.run(PYTHON="nowhere/python")

    assert code == 1
    assert "sh scripts/bootstrap.sh packaging" in said


def test_help_is_the_head_of_the_script(machine: Machine) -> None:
    code, said = machine.run("--help")

    assert code == 0
    for flag in ("--identity", "--notary-profile", "--no-notarize", "--skip-freeze", "--dry-run"):
        assert flag in said
    assert "set -eu" not in said


# --- Linux ----------------------------------------------------------------------------------


def test_linux_does_its_half_and_says_which_half_that_was(machine: Machine) -> None:
    code, said = linux(machine).run()

    assert code == 0, said
    dmg = "dist/Easel-1.2.3-linux-test.dmg"
    assert machine.calls()[1:] == [
        "Easel selftest",
        "python packaging/skeleton.py build/skeleton/Easel.app",
        "python packaging/check_bundle.py build/skeleton/Easel.app",
        f"python packaging/linux_dmg.py build/skeleton {dmg}",
        f"python packaging/linux_dmg.py --check build/skeleton {dmg}",
        "shasum -a 256 Easel-1.2.3-linux-test.dmg",
    ]
    assert "Not run here: signing with an identity, notarising, stapling" in said
    assert "is signed" not in said


def test_linux_cannot_sign_for_a_mac(machine: Machine) -> None:
    code, said = linux(machine).run(*SIGNED)

    assert code == 1
    assert "only a Mac" in said


def test_another_system_is_refused(machine: Machine) -> None:
    machine.put("uname", "echo Plan9")
    code, said = machine.run()

    assert code == 1
    assert "this is Plan9" in said


# --- the script itself ----------------------------------------------------------------------


@pytest.mark.linux
def test_shellcheck_has_nothing_to_say() -> None:
    scripts = ["build_dmg.sh", "scripts/bootstrap.sh", ".ci/run"]
    done = subprocess.run(
        ["shellcheck", *scripts], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout == ""
    assert done.returncode == 0
