"""The wheel: it carries what the program reads, and finds it again once installed."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    run = subprocess.run([*build, str(ROOT)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_it_carries_the_starter_and_the_resources_and_nothing_of_the_training(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()

    assert "app/shipped/models/starter/model_index.json" in inside
    assert "app/shipped/models/starter/NOTICE.md" in inside
    assert "app/shipped/resources/licenses/CreativeML-OpenRAIL-M.txt" in inside
    assert "app/shipped/resources/models/taesd/config.json" in inside
    assert "app/shipped/models/catalog/starter.toml" in inside
    assert "app/shipped/NOTICE" in inside
    assert "app/shipped/models/catalog/sd-1.5.toml" in inside
    assert "app/shipped/resources/configs/clip/vocab.json" in inside
    assert "app/shipped/resources/configs/sdxl/unet/config.json" in inside
    tops = {name.split("/")[0] for name in inside}
    assert tops == {"app", f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    assert not [name for name in inside if "training" in name or name.endswith(".pyc")]


def test_it_carries_every_module_of_the_tree(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())

    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "app").rglob("*.py")}

    assert modules <= inside


def test_an_installed_wheel_finds_what_it_carries(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    installed = tmp_path / "venv" / "lib" / version / "site-packages"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--quiet", str(wheel)], check=True)
    # platformdirs is all that places imports besides the standard library.
    import platformdirs

    (installed / "platformdirs").symlink_to(Path(platformdirs.__file__).parent)

    run = subprocess.run(
        [str(python), "-c", "from app.places import find_shipped; print(find_shipped())"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    shipped = Path(run.stdout.strip())
    assert shipped == (installed / "app" / "shipped").resolve()
    assert (shipped / "models" / "starter" / "model_index.json").is_file()


def test_the_wheel_s_command_starts_the_program(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel)
    (name,) = (name for name in inside.namelist() if name.endswith("entry_points.txt"))

    assert "easel = app.__main__:main" in inside.read(name).decode()
