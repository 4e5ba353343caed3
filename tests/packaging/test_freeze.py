"""What goes into the frozen program: the spec on both systems, the plist, and what is left out."""

from __future__ import annotations

import ast
import json
import plistlib
import re
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import check_bundle
import freeze_config as config
import info_plist
import linux_dmg
import pytest

from app import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"

# Imports all that Easel does of the heavy libraries, with what the bundle leaves out gone.
IMPORTS = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
left_out, names = json.loads(sys.stdin.read())
known = set(left_out)

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        parts = name.split(".")
        if any(".".join(parts[:n]) in known for n in range(1, len(parts) + 1)):
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
for name in names:
    importlib.import_module(name)
import transformers
table = {name: module for name, module in transformers._class_to_module.items()}
print(json.dumps(table))
"""


def installed(package: str) -> Path:
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


# --- what is left out -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def excludes() -> list[str]:
    return config.excludes(installed("transformers"), installed("diffusers"))


@pytest.fixture(scope="module")
def homes(excludes: list[str]) -> dict[str, str]:
    """Which module transformers itself says a class is in, asked with the excluded ones gone."""
    used = set(re.findall(r"(?:from|import) ((?:diffusers|coremltools)[\w.]*)", sources()))
    used |= set(re.findall(r"from (transformers[\w.]*) import", sources()))
    assert "diffusers.loaders" in used
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        input=json.dumps([excludes, sorted(used)]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    table: dict[str, str] = json.loads(done.stdout)
    return table


def sources() -> str:
    files = [*(ROOT / "app/engine").rglob("*.py"), *(ROOT / "app/convert").rglob("*.py")]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_all_that_easel_imports_is_there_without_what_is_left_out(homes: dict[str, str]) -> None:
    assert len(homes) > 1000


def test_every_class_that_diffusers_takes_of_transformers_is_kept(
    homes: dict[str, str], excludes: list[str]
) -> None:
    """By transformers' own table of its classes, which the closure does not look at."""
    taken = set()
    for file in installed("diffusers").rglob("*.py"):
        text = file.read_text("utf-8")
        if "from transformers import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module == "transformers":
                taken |= {alias.name for alias in node.names}
    wanted = {
        "transformers." + ".".join(homes[name].split(".")[:2])
        for name in taken & homes.keys()
        if homes[name].startswith("models.")
    }

    assert "transformers.models.clip" in wanted
    assert len(wanted) > 10
    assert wanted & set(excludes) == set()


def test_most_of_transformers_is_left_out(excludes: list[str]) -> None:
    left = [name for name in excludes if name.startswith("transformers.models.")]

    assert len(left) > 400
    assert "transformers.models.auto" not in left
    assert "transformers.models.clip" not in left


def test_everything_may_be_built(tmp_path: Path) -> None:
    assert config.excludes(tmp_path, tmp_path, prune=False) == list(config.EXCLUDES)
    assert config.keeps("torch/test/x.py", prune=False)


def test_the_closure_follows_imports_and_leaves_out_what_only_a_type_checker_reads(
    tmp_path: Path,
) -> None:
    """A small library in the form of the real ones."""
    models, diffusers = tmp_path / "transformers" / "models", tmp_path / "diffusers"
    for name, text in {
        "auto": "",
        "clip": "from ..siglip.modeling_siglip import A\nclass ClipModel: pass\n",
        "siglip": "from ...models.t5 import B\n",
        "t5": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..bert import C\n",
        "bert": "",
        "gpt": "class GptModel: pass\n",
        "vit": "",
    }.items():
        (models / name).mkdir(parents=True)
        (models / name / "__init__.py").write_text(text, "utf-8")
    (models / "clip" / "convert_clip.py").write_text("from ..bert import C\n", "utf-8")
    diffusers.mkdir()
    (diffusers / "pipeline.py").write_text("from transformers import GptModel\n", "utf-8")
    (tmp_path / "transformers" / "core.py").write_text("from .models import vit\n", "utf-8")

    found = config.transformers_closure(tmp_path / "transformers", diffusers)

    assert found == {"auto", "clip", "siglip", "t5", "gpt", "vit"}


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("torch/lib/libtorch_cpu.dylib", True),
        ("torch/bin/protoc", False),
        ("torch/binary.py", True),
        ("torch/bin/torch_shm_manager", True),
        ("PySide6/Qt/translations/qt_de.qm", False),
        ("PySide6/Qt/plugins/platforms/libqcocoa.dylib", True),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlpsql.dylib", False),
        ("models/starter/model_index.json", True),
    ],
)
def test_a_file_goes_in_or_stays_out(target: str, kept: bool) -> None:
    assert config.keeps(target) is kept


# --- the spec -------------------------------------------------------------------------------


class Noted(SimpleNamespace):
    """What the spec called, with which arguments, in order."""

    def __init__(self) -> None:
        super().__init__(calls=[])

    def stand_in(self, name: str) -> Any:
        def call(*given: object, **named: object) -> SimpleNamespace:
            self.calls.append((name, given, named))
            return SimpleNamespace(
                pure=["pure"],
                scripts=["script"],
                binaries=[("torch/lib/libc10.dylib",), ("torch/bin/protoc",)],
                datas=[("NOTICE",), ("torch/include/ATen.h",)],
            )

        return call

    def named(self, name: str) -> dict[str, Any]:
        (found,) = (named for called, _given, named in self.calls if called == name)
        return dict(found)


@pytest.fixture
def run_spec(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(platform: str, **environ: str) -> Noted:
        noted = Noted()
        hooks = ModuleType("PyInstaller.utils.hooks")
        hooks.copy_metadata = lambda name, recursive=False: [(name, f"metadata {recursive}")]  # type: ignore[attr-defined]
        hooks.collect_submodules = lambda name: [f"{name}.everything"]  # type: ignore[attr-defined]
        for name in ("PyInstaller", "PyInstaller.utils"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, hooks.__name__, hooks)
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.delenv("EASEL_SIGN_IDENTITY", raising=False)
        monkeypatch.setenv("PRUNE", "0")
        for key, value in environ.items():
            monkeypatch.setenv(key, value)
        names = ("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE")
        known = {name: noted.stand_in(name) for name in names}
        runpy.run_path(str(PACKAGING / "app.spec"), {"SPECPATH": str(PACKAGING), **known})
        return noted

    return run


def test_on_a_mac_the_spec_makes_a_signed_bundle_for_apple_silicon(run_spec: Any) -> None:
    noted = run_spec("darwin", EASEL_SIGN_IDENTITY="Developer ID")

    program, bundle = noted.named("EXE"), noted.named("BUNDLE")
    assert [name for name, *_ in noted.calls] == ["Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE"]
    assert program["target_arch"] == "arm64"
    assert program["codesign_identity"] == "Developer ID"
    assert Path(program["entitlements_file"]) == PACKAGING / "entitlements.plist"
    assert program["console"] is False
    assert program["exclude_binaries"] is True  # a folder: one file would unpack at each start
    assert (program["strip"], program["upx"], program["argv_emulation"]) == (False, False, False)
    assert bundle["name"] == "Easel.app"
    assert bundle["bundle_identifier"] == config.IDENTIFIER
    assert bundle["version"] == __version__
    assert Path(bundle["icon"]).read_bytes()[:4] == b"icns"
    assert bundle["info_plist"]["LSMinimumSystemVersion"] == "14.0"


def test_without_an_identity_the_signature_is_ad_hoc_and_hardened(run_spec: Any) -> None:
    """PyInstaller asks codesign for the hardened runtime where an identity is named; "-" is one."""
    assert run_spec("darwin").named("EXE")["codesign_identity"] == "-"


def test_on_linux_the_spec_makes_a_folder(run_spec: Any) -> None:
    noted = run_spec("linux", EASEL_SIGN_IDENTITY="Developer ID")

    program = noted.named("EXE")
    assert [name for name, *_ in noted.calls] == ["Analysis", "PYZ", "EXE", "COLLECT"]
    assert (program["target_arch"], program["codesign_identity"]) == (None, None)


def test_the_spec_takes_metadata_the_starter_and_every_module(run_spec: Any) -> None:
    taken = run_spec("linux").named("Analysis")

    targets = {(Path(source).name, target) for source, target in taken["datas"]}
    for distribution in config.METADATA:
        assert (distribution, "metadata True") in targets
    assert ("torch", "metadata False") in targets
    assert {("resources", "resources"), ("starter", "models/starter"), ("NOTICE", ".")} <= targets
    assert not [source for source, _ in taken["datas"] if "training" in source]
    assert taken["hiddenimports"] == ["app.everything"]
    assert set(config.EXCLUDES) <= set(taken["excludes"])


def test_the_spec_drops_files_unless_everything_is_wanted(run_spec: Any) -> None:
    (_, whole, _) = next(call for call in run_spec("linux").calls if call[0] == "COLLECT")
    assert ("torch/bin/protoc",) in whole[1]


def test_what_the_spec_ships_is_there() -> None:
    assert [name for name in config.SHIPPED if not (ROOT / name).exists()] == []
    assert [name for name in check_bundle.SHIPPED if not (ROOT / name).exists()] == []


def test_the_wheel_ships_the_same_as_the_bundle() -> None:
    shipped = ast.literal_eval(
        re.findall(r"^SHIPPED = (\(.*\))$", (ROOT / "hatch_build.py").read_text("utf-8"), re.M)[0]
    )

    assert set(shipped) == set(config.SHIPPED)


# --- plist and disk image -------------------------------------------------------------------


def test_the_plist_says_what_macos_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_BUILD", "77")
    plist = plistlib.loads(plistlib.dumps(info_plist.info_plist(ROOT)))

    assert plist["CFBundleShortVersionString"] == __version__
    assert plist["CFBundleVersion"] == "77"
    assert plist["LSMinimumSystemVersion"] == config.MINIMUM_MACOS == "14.0"
    assert plist["LSArchitecturePriority"] == ["arm64"]
    assert plist["LSApplicationCategoryType"] == "public.app-category.graphics-design"
    assert plist["NSHighResolutionCapable"] is True
    assert plist["NSRequiresAquaSystemAppearance"] is False
    assert "NSAppTransportSecurity" not in plist


def test_every_type_that_easel_opens_is_declared_or_the_system_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EASEL_BUILD", raising=False)
    plist = info_plist.info_plist(ROOT)
    declared = {
        entry["UTTypeIdentifier"]
        for key in ("UTImportedTypeDeclarations", "UTExportedTypeDeclarations")
        for entry in plist[key]
    }

    opened = {
        name for entry in plist["CFBundleDocumentTypes"] for name in entry["LSItemContentTypes"]
    }

    assert {name for name in opened if name.startswith("app.easel.")} == declared
    assert {entry["LSHandlerRank"] for entry in plist["CFBundleDocumentTypes"]} == {"Alternate"}


def test_the_version_is_printed_for_the_shell() -> None:
    done = subprocess.run(
        [sys.executable, str(PACKAGING / "version.py")], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == __version__


def test_a_version_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text('__version__ = "1.0-next"\n', "utf-8")

    with pytest.raises(ValueError, match="no version"):
        info_plist.version(tmp_path)


def test_the_image_s_window_has_both_icons_inside_its_background() -> None:
    from PIL import Image

    told = linux_dmg.settings(Path("dist/Easel.app"))
    _, (width, height) = told["window_rect"]
    with Image.open(told["background"]) as page:
        sizes = [page.size]
        page.seek(1)
        sizes.append(page.size)

    assert sizes == [(width, height), (2 * width, 2 * height)]  # and for a screen of high density
    assert set(told["icon_locations"]) == {"Easel.app", *told["symlinks"]}
    half = told["icon_size"] // 2
    for x, y in told["icon_locations"].values():
        assert half <= x <= width - half
        assert half <= y <= height - half
    assert told["symlinks"] == {"Applications": "/Applications"}
    assert told["files"] == ["dist/Easel.app"]
    assert told["format"] == "ULMO"
    assert Path(told["icon"]).is_file()
