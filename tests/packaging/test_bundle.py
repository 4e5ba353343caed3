"""A skeleton bundle is made, signed and read back; check_bundle.py finds each fault put into it."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import check_bundle
import freeze_config as config
import mach_o
import pytest
import skeleton
import synthetic

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
NO_WHEELS = Path("/no/wheels")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A skeleton of a small checkout: what is shipped has the right names and few bytes."""
    folder = tmp_path_factory.mktemp("bundle")
    checkout = folder / "checkout"
    for name in check_bundle.SHIPPED:
        file = checkout / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, "utf-8")
    said = skeleton.build(folder / "Easel.app", checkout, NO_WHEELS)
    assert "stand in for code" in said
    return folder / "Easel.app"


@pytest.fixture
def app(signed: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    copy = tmp_path / "Easel.app"
    shutil.copytree(signed, copy, symlinks=True)
    return copy


def faults(app: Path) -> list[str]:
    return list(check_bundle.faults(app))


# --- what is made ---------------------------------------------------------------------------


def test_a_signed_skeleton_has_no_fault(signed: Path) -> None:
    assert faults(signed) == []


def test_its_signature_is_hardened_and_has_the_entitlements_and_no_others(signed: Path) -> None:
    signature = mach_o.signature(signed / "Contents" / "MacOS" / "Easel")

    assert signature is not None
    assert signature.hardened
    assert signature.intact
    wanted = plistlib.loads((PACKAGING / "entitlements.plist").read_bytes())
    assert dict(signature.entitlements) == wanted
    assert set(wanted) == set(check_bundle.ENTITLEMENTS)
    assert "com.apple.security.get-task-allow" not in wanted  # the notary refuses it


def test_the_libraries_have_no_entitlements(signed: Path) -> None:
    library = signed / "Contents" / "Frameworks" / "libomp.dylib"
    signature = mach_o.signature(library)

    assert signature is not None
    assert signature.hardened
    assert signature.entitlements == {}


def test_another_reader_agrees_about_the_signature(signed: Path) -> None:
    """apple-codesign's own, which shares nothing with mach_o.py."""
    from apple_platform import reading

    entities = reading.read_signature(signed / "Contents" / "MacOS" / "Easel")
    directory = reading.find_values(entities, "code_directory")[0]

    assert reading.code_directory_identifier(entities) == config.IDENTIFIER
    assert "RUNTIME" in str(directory["flags"])
    (entitlements,) = reading.find_values(entities, "entitlements_plist")
    assert all(name in str(entitlements) for name in check_bundle.ENTITLEMENTS)


def test_the_framework_is_laid_out_as_apple_has_it(signed: Path) -> None:
    framework = signed / "Contents" / "Frameworks" / "QtCore.framework"

    assert str((framework / "Versions" / "Current").readlink()) == "A"
    assert str((framework / "QtCore").readlink()) == "Versions/Current/QtCore"
    assert mach_o.is_mach_o(framework / "QtCore")


# --- faults ---------------------------------------------------------------------------------


def contents(app: Path, *parts: str) -> Path:
    return app.joinpath("Contents", *parts)


def a_tampered_resource(app: Path) -> None:
    contents(app, "Resources", "NOTICE").write_text("another", "utf-8")


def a_missing_resource(app: Path) -> None:
    contents(app, "Resources", "resources", "licenses", "CreativeML-OpenRAIL-M.txt").unlink()


def a_file_added_after_signing(app: Path) -> None:
    contents(app, "Resources", "models", "starter", "extra.bin").write_bytes(b"x")


def a_file_added_beside_the_program(app: Path) -> None:
    contents(app, "MacOS", "notes.txt").write_text("x", "utf-8")


def a_changed_plist(app: Path) -> None:
    file = contents(app, "Info.plist")
    plist = plistlib.loads(file.read_bytes()) | {"CFBundleVersion": "999"}
    file.write_bytes(plistlib.dumps(plist))


def a_changed_list(app: Path) -> None:
    file = contents(app, "_CodeSignature", "CodeResources")
    listed = plistlib.loads(file.read_bytes())
    del listed["files2"]["Resources/icon.icns"]
    contents(app, "Resources", "icon.icns").unlink()
    file.write_bytes(plistlib.dumps(listed))


def a_changed_library(app: Path) -> None:
    file = contents(app, "Frameworks", "libomp.dylib")
    data = bytearray(file.read_bytes())
    data[0x3FFC] ^= 1  # the instruction
    file.write_bytes(data)


def another_library_well_signed(app: Path) -> None:
    import apple_platform

    file = contents(app, "Frameworks", "libomp.dylib")
    file.write_bytes(synthetic.mach_o((12, 0), install_name="@rpath/libomp.dylib"))
    apple_platform.sign(file)


def a_broken_link(app: Path) -> None:
    contents(app, "Frameworks", "QtCore.framework", "Versions", "Current").unlink()


def a_link_out_of_the_bundle(app: Path) -> None:
    link = contents(app, "Frameworks", "models")
    link.unlink()
    link.symlink_to(app.parent)


def a_link_that_became_a_copy(app: Path) -> None:
    """What zip does to a bundle, and what makes macOS call it damaged."""
    link = contents(app, "Frameworks", "NOTICE")
    link.unlink()
    shutil.copy(contents(app, "Resources", "NOTICE"), link)


def no_signature(app: Path) -> None:
    shutil.rmtree(contents(app, "_CodeSignature"))


def no_program(app: Path) -> None:
    contents(app, "MacOS", "Easel").unlink()


TAMPERED: dict[Callable[[Path], None], str] = {
    a_tampered_resource: "Resources/NOTICE is not what was signed",
    a_missing_resource: "Resources/resources/licenses/CreativeML-OpenRAIL-M.txt is missing",
    a_file_added_after_signing: "Resources/models/starter/extra.bin was added after signing",
    a_file_added_beside_the_program: "MacOS/notes.txt was added after signing",
    a_changed_plist: "Info.plist is not what was signed",
    a_changed_list: "_CodeSignature/CodeResources is not what was signed",
    a_changed_library: "Contents/Frameworks/libomp.dylib is not what was signed (arm64)",
    another_library_well_signed: "Frameworks/libomp.dylib is not the code that was signed",
    a_broken_link: "Contents/Frameworks/QtCore.framework/QtCore is a link to nothing",
    a_link_out_of_the_bundle: "Contents/Frameworks/models is a link out of the bundle",
    a_link_that_became_a_copy: "Frameworks/NOTICE is not the link that was signed",
    no_signature: "the bundle is not signed: Contents/_CodeSignature is missing",
    no_program: "the program 'Easel' is missing",
}


@pytest.mark.parametrize("spoil", TAMPERED, ids=lambda spoil: str(spoil.__name__))
def test_what_changed_after_signing_is_found(app: Path, spoil: Callable[[Path], None]) -> None:
    spoil(app)

    assert TAMPERED[spoil] in faults(app)


def library(app: Path, name: str, code: bytes) -> None:
    file = contents(app, "Frameworks", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(code)


def a_library_too_new(app: Path) -> None:
    library(app, "libnew.dylib", synthetic.mach_o((15, 4), install_name="@rpath/libnew.dylib"))


def a_library_with_a_late_symbol(app: Path) -> None:
    late = ["__ZTVNSt3__117bad_function_callE"]
    code = synthetic.mach_o((14, 0), install_name="@rpath/liblate.dylib", imports=late)
    library(app, "liblate.dylib", code)


def a_second_openmp(app: Path) -> None:
    code = synthetic.mach_o(install_name="@rpath/libomp.dylib")
    library(app, "sklearn/libomp.dylib", code)


def intel_s_openmp(app: Path) -> None:
    library(app, "libiomp5.dylib", synthetic.mach_o(install_name="@rpath/libiomp5.dylib"))


def a_library_for_intel_only(app: Path) -> None:
    library(app, "libold.dylib", synthetic.mach_o(install_name="@rpath/libold.dylib", intel=True))


def a_library_of_homebrew(app: Path) -> None:
    wants = [synthetic.SYSTEM, "/opt/homebrew/lib/libpng.dylib"]
    code = synthetic.mach_o(install_name="@rpath/libpicture.dylib", libraries=wants)
    library(app, "libpicture.dylib", code)


def no_native_coremltools(app: Path) -> None:
    contents(app, "Frameworks", "coremltools", "libcoremlpython.so").unlink()


def no_starter(app: Path) -> None:
    shutil.rmtree(contents(app, "Resources", "models", "starter", "unet"))


def a_plist_with(**changes: object) -> Callable[[Path], None]:
    def spoil(app: Path) -> None:
        file = contents(app, "Info.plist")
        plist = plistlib.loads(file.read_bytes()) | changes
        file.write_bytes(plistlib.dumps(plist))

    spoil.__name__ = "a plist with " + ", ".join(f"{key}={value}" for key, value in changes.items())
    return spoil


BUILT: dict[Callable[[Path], None], str] = {
    a_library_too_new: "Contents/Frameworks/libnew.dylib needs macOS 15.4; the floor is 14.0",
    a_library_with_a_late_symbol: (
        "Contents/Frameworks/liblate.dylib needs __ZTVNSt3__117bad_function_callE, "
        "which came with macOS 15.4"
    ),
    a_second_openmp: (
        "more than one OpenMP: Contents/Frameworks/libomp.dylib, "
        "Contents/Frameworks/sklearn/libomp.dylib"
    ),
    intel_s_openmp: (
        "more than one OpenMP: Contents/Frameworks/libiomp5.dylib, Contents/Frameworks/libomp.dylib"
    ),
    a_library_for_intel_only: "Contents/Frameworks/libold.dylib has no arm64 code",
    a_library_of_homebrew: (
        "Contents/Frameworks/libpicture.dylib wants /opt/homebrew/lib/libpng.dylib, "
        "which is on no other Mac"
    ),
    no_native_coremltools: "coremltools' libcoremlpython.so is not in the bundle",
    no_starter: "models/starter/unet/diffusion_pytorch_model.safetensors is not in the bundle",
    a_plist_with(LSMinimumSystemVersion="11.0"): (
        "Info.plist: LSMinimumSystemVersion is '11.0', not '14.0'"
    ),
    a_plist_with(NSHighResolutionCapable="True"): (
        "Info.plist: NSHighResolutionCapable is 'True', not True"
    ),
    a_plist_with(CFBundleVersion=""): "Info.plist: CFBundleVersion is missing",
}


@pytest.mark.parametrize("spoil", BUILT, ids=lambda spoil: str(spoil.__name__))
def test_what_was_built_wrongly_is_found_though_it_is_well_signed(
    app: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(app)
    shutil.rmtree(contents(app, "_CodeSignature"))
    skeleton.sign(app)

    assert faults(app) == [BUILT[spoil]]


def test_a_binding_of_pyside_that_needs_what_is_later_is_found(app: Path) -> None:
    """As PySide6 6.12.0's do, whose wheel says macOS 14."""
    late = ["__ZTVNSt3__117bad_function_callE"]
    code = synthetic.mach_o((15, 0), install_name="@rpath/QtCore.abi3.so", imports=late)
    library(app, "PySide6/QtCore.abi3.so", code)
    skeleton.sign(app)

    name = "Contents/Frameworks/PySide6/QtCore.abi3.so"
    assert faults(app) == [
        f"{name} needs macOS 15.0; the floor is 14.0",
        f"{name} needs __ZTVNSt3__117bad_function_callE, which came with macOS 15.4",
    ]


def test_a_missing_entitlement_is_found(app: Path, tmp_path: Path) -> None:
    wanted = plistlib.loads((PACKAGING / "entitlements.plist").read_bytes())
    del wanted["com.apple.security.cs.allow-jit"]
    fewer = tmp_path / "fewer.plist"
    fewer.write_bytes(plistlib.dumps(wanted))
    skeleton.sign(app, fewer)

    assert faults(app) == ["the entitlement com.apple.security.cs.allow-jit is missing"]


def test_a_signature_without_the_hardened_runtime_is_found(app: Path) -> None:
    contents(app, "MacOS", "Easel").write_bytes(synthetic.mach_o())
    skeleton.sign(app, runtime=False)

    assert faults(app) == ["the program is not signed for the hardened runtime"]


def test_a_library_without_a_signature_is_found(app: Path) -> None:
    library(app, "libomp.dylib", synthetic.mach_o((11, 0), install_name="@rpath/libomp.dylib"))

    assert "Contents/Frameworks/libomp.dylib is not signed (arm64)" in faults(app)


def test_a_folder_is_no_bundle(tmp_path: Path) -> None:
    assert faults(tmp_path) == ["Contents/Info.plist is missing: this is no bundle"]


def test_the_command_says_each_fault_and_fails(app: Path) -> None:
    command = [sys.executable, str(PACKAGING / "check_bundle.py"), str(app)]
    whole = subprocess.run(command, capture_output=True, text=True, check=False)
    a_tampered_resource(app)
    spoilt = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (whole.returncode, whole.stderr) == (0, "")
    assert spoilt.returncode == 1
    assert spoilt.stderr == "Resources/NOTICE is not what was signed\n"


# --- reading Mach-O -------------------------------------------------------------------------


def facts(tmp_path: Path, code: bytes) -> mach_o.Facts:
    file = tmp_path / "code"
    file.write_bytes(code)
    return mach_o.slices(file)["arm64"]


def test_a_version_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert facts(tmp_path, synthetic.mach_o((12, 3))).minimum == mach_o.version("12.3")


def test_a_weak_late_symbol_may_be_absent(tmp_path: Path) -> None:
    late = ["_os_sync_wait_on_address"]

    assert facts(tmp_path, synthetic.mach_o(imports=late)).late_symbols == {late[0]: (14, 4)}
    assert facts(tmp_path, synthetic.mach_o(weak_imports=late)).late_symbols == {}


@pytest.mark.parametrize(
    ("name", "minimum", "fine"),
    [
        ("QtCore.abi3.so", (15, 0), True),
        ("libpyside6.abi3.6.11.dylib", (15, 0), True),
        ("Shiboken.abi3.so", (15, 0), True),
        ("QtCore.abi3.so", (26, 0), False),
        ("QtCore", (15, 0), False),
        ("libtorch.dylib", (15, 0), False),
    ],
)
def test_only_pyside_s_bindings_may_name_a_later_macos(
    name: str, minimum: tuple[int, int], fine: bool
) -> None:
    assert mach_o.allowed_later(name, mach_o.Facts(minimum, {}, ())) is fine


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", True),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", True),
        (b"\xca\xfe\xba\xbe\0\0\0\x41", False),  # a Java class
        (b"\x7fELF\x02\x01\x01\0", False),
        (b"\xcf\xfa", False),
        (b"", False),
    ],
)
def test_a_mach_o_is_known_by_its_start(tmp_path: Path, start: bytes, is_one: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(start)

    assert mach_o.is_mach_o(file) is is_one
