"""check_wheels.py on small wheels made here; `make package-wheels` looks the real ones over."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import check_bundle
import check_wheels
import freeze_config as config
import pytest
import synthetic

ROOT = Path(__file__).resolve().parents[2]
LATE = "__ZTVNSt3__117bad_function_callE"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two wheels without a fault, and the lock that names them."""
    lock = tmp_path / "lock.txt"
    lock.write_text("torch==2.0 \\\n    --hash=sha256:00\ncoremltools==9.0\n", "utf-8")
    pins = check_wheels.locked(lock)
    monkeypatch.setattr(check_wheels, "locked", lambda: pins)
    put(tmp_path, "torch-2.0", {"torch/lib/libomp.dylib": synthetic.mach_o((11, 0))})
    natives = {
        f"coremltools/{name}": synthetic.mach_o((12, 3), install_name=f"@rpath/{name}")
        for name in check_bundle.LIBRARIES
    }
    put(tmp_path, "coremltools-9.0", {**natives, "coremltools/__init__.py": b"import this"})
    return tmp_path


def put(folder: Path, name: str, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(folder / f"{name}-py3-none-macosx_14_0_arm64.whl", "w") as wheel:
        for inside, data in files.items():
            wheel.writestr(inside, data)


def faults(folder: Path) -> list[str]:
    return [fault.partition(".whl: ")[2] or fault for fault in check_wheels.faults(folder)]


def test_good_wheels_have_no_fault(wheels: Path) -> None:
    assert faults(wheels) == []


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            {"a/x.so": synthetic.mach_o((15, 4))},
            "a/x.so needs macOS 15.4; the floor is 14.0",
        ),
        (
            {"a/x.so": synthetic.mach_o(imports=[LATE])},
            f"a/x.so needs {LATE}, which came with macOS 15.4",
        ),
        ({"a/x.so": synthetic.mach_o(intel=True)}, "a/x.so has no arm64 code"),
        (
            {"a/x.so": synthetic.mach_o(libraries=["/usr/local/lib/libpq.dylib"])},
            "a/x.so wants /usr/local/lib/libpq.dylib, which is on no other Mac",
        ),
        (
            {"a/libomp.dylib": synthetic.mach_o()},
            "there is to be one OpenMP, and there are 2: a: a/libomp.dylib, torch: "
            "torch/lib/libomp.dylib",
        ),
    ],
)
def test_a_fault_is_found(wheels: Path, files: dict[str, bytes], fault: str) -> None:
    put(wheels, "a-1.0", files)

    assert faults(wheels) == [fault]


@pytest.mark.parametrize("inside", ["torch/bin/protoc", "PySide6/QtQml.abi3.so", "scipy/x.so"])
def test_what_stays_out_of_the_bundle_may_be_anything(wheels: Path, inside: str) -> None:
    put(wheels, "a-1.0", {inside: synthetic.mach_o((26, 0))})

    assert faults(wheels) == []


def test_a_fallback_without_native_code_is_found(wheels: Path) -> None:
    put(wheels, "coremltools-9.0", {"coremltools/__init__.py": b""})

    assert faults(wheels) == [
        f"coremltools' {name} is in no wheel" for name in check_bundle.LIBRARIES
    ]


def test_a_wheel_that_is_locked_and_not_there_is_named(wheels: Path) -> None:
    (wheels / "torch-2.0-py3-none-macosx_14_0_arm64.whl").unlink()

    assert faults(wheels)[0] == f"torch 2.0 of the lock is not in {wheels}"


def test_the_tags_are_those_that_run_on_the_floor() -> None:
    tags = check_wheels.platforms(config.MINIMUM_MACOS)

    assert tags[:2] == ["macosx_14_0_arm64", "macosx_14_0_universal2"]
    assert "macosx_11_0_arm64" in tags
    assert "macosx_10_13_universal2" in tags
    assert not [tag for tag in tags if "15_0" in tag or "x86_64" in tag]


# --- the lock itself ------------------------------------------------------------------------


def test_the_lock_has_the_pins_of_the_project_and_a_hash_for_each() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = project["dependencies"] + [
        pin for extra in ("test", "packaging") for pin in project["optional-dependencies"][extra]
    ]
    locked = check_wheels.locked()

    for pin in asked:
        name, version = re.fullmatch(r"([\w.-]+)==([\w.]+).*", pin).groups()  # type: ignore[union-attr]
        assert locked[name.lower().replace("-", "_").replace(".", "_")] == version, pin
    text = check_wheels.LOCK.read_text("utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked)
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_has_nothing_of_nvidia_or_linux() -> None:
    names = set(check_wheels.locked())

    assert not [name for name in names if name.startswith(("nvidia", "cuda", "triton"))]
    assert not names & {"cryptography", "secretstorage", "jeepney"}


def test_the_lock_is_for_the_floor_of_the_bundle() -> None:
    head = check_wheels.LOCK.read_text("utf-8").partition("\n\n")[0]

    assert f"MACOSX_DEPLOYMENT_TARGET={config.MINIMUM_MACOS} " in head
    assert f"--python-version {check_wheels.PYTHON} " in head
