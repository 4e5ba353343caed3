"""Foreign pictures are opened with care and kept clean."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from app.core.errors import FolderNotWritable, PictureUnreadable
from app.core.recipe import Size
from app.library.starts import FORMATS, MAX_SIDE, keep


def coded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def half_red() -> Image.Image:
    """Left half red, right half blue, 40 by 20."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (0, 0, 20, 20))
    return image


def kept_image(source: Path | bytes, folder: Path) -> Image.Image:
    with Image.open(keep(source, folder).file) as image:
        image.load()
        return image


def near(found: object, wanted: tuple[int, int, int], by: int = 12) -> bool:
    assert isinstance(found, tuple)
    return all(abs(int(a) - b) <= by for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_is_kept_as_png_under_its_hash(tmp_path: Path, form: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(coded(half_red(), form))
    kept = keep(source, tmp_path / "starts")
    data = kept.file.read_bytes()
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    assert kept.file == tmp_path / "starts" / f"{kept.sha256}.png"
    assert kept.size == Size(40, 20)
    with Image.open(kept.file) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (40, 20))
        assert near(image.getpixel((5, 10)), (255, 0, 0))
        assert near(image.getpixel((35, 10)), (0, 0, 255))


def test_the_same_picture_is_kept_once(tmp_path: Path) -> None:
    first = keep(coded(half_red()), tmp_path)
    written = first.file.stat().st_mtime_ns
    assert keep(coded(half_red(), "BMP"), tmp_path) == first
    assert first.file.stat().st_mtime_ns == written
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_copy_is_written_again(tmp_path: Path) -> None:
    kept = keep(coded(half_red()), tmp_path)
    kept.file.write_bytes(b"rot")
    assert keep(coded(half_red()), tmp_path) == kept
    assert hashlib.sha256(kept.file.read_bytes()).hexdigest() == kept.sha256


def test_a_turned_photo_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned to the right
    image = kept_image(coded(half_red(), "JPEG", exif=exif.tobytes(), quality=95), tmp_path)
    assert image.size == (20, 40)
    assert near(image.getpixel((10, 5)), (255, 0, 0))
    assert near(image.getpixel((10, 35)), (0, 0, 255))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_lies_over_white(tmp_path: Path, mode: str) -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image = kept_image(coded(clear.convert(mode), "PNG" if mode != "PA" else "TIFF"), tmp_path)
    assert near(image.getpixel((4, 4)), (255, 255, 255), 0)


def test_a_transparent_palette_colour_lies_over_white(tmp_path: Path) -> None:
    image = kept_image(coded(Image.new("P", (8, 8), 3), "GIF", transparency=3), tmp_path)
    assert near(image.getpixel((4, 4)), (255, 255, 255), 0)


def test_half_transparent_red_is_pink(tmp_path: Path) -> None:
    image = kept_image(coded(Image.new("RGBA", (8, 8), (255, 0, 0, 128))), tmp_path)
    assert near(image.getpixel((4, 4)), (255, 127, 127), 1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LAB"])
def test_other_colour_models_become_rgb(tmp_path: Path, mode: str) -> None:
    image = kept_image(coded(Image.new("RGB", (8, 8), "white").convert(mode), "TIFF"), tmp_path)
    assert image.mode == "RGB"
    assert near(image.getpixel((4, 4)), (255, 255, 255), 3)


def test_sixteen_bits_a_channel_keep_their_brightness(tmp_path: Path) -> None:
    deep = Image.new("I;16", (8, 8), 0x8000)
    assert near(kept_image(coded(deep), tmp_path).getpixel((4, 4)), (128, 128, 128), 1)


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    """A profile whose red is sRGB's blue, and the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"?XYZ", 1).replace(b"bXYZ", b"rXYZ", 1)
    swapped = swapped.replace(b"?XYZ", b"bXYZ", 1)
    for alpha in ((), (255,)):
        image = Image.new("RGBA" if alpha else "RGB", (8, 8), (200, 100, 50, *alpha))
        kept = kept_image(coded(image, icc_profile=swapped), tmp_path)
        assert near(kept.getpixel((4, 4)), (50, 100, 200), 3)
        assert "icc_profile" not in kept.info


def test_a_broken_colour_profile_is_no_obstacle(tmp_path: Path) -> None:
    data = coded(Image.new("RGB", (8, 8), (200, 100, 50)), icc_profile=b"nonsense")
    assert near(kept_image(data, tmp_path).getpixel((4, 4)), (200, 100, 50), 0)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(tmp_path: Path, form: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    data = coded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    assert near(kept_image(data, tmp_path).getpixel((8, 8)), (255, 0, 0))


def test_what_is_said_in_the_file_beside_its_pixels_is_not_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    image = kept_image(coded(half_red(), "JPEG", exif=exif.tobytes(), comment=b"secret"), tmp_path)
    assert image.info == {}
    assert not image.getexif()


def test_a_large_picture_is_scaled_down(tmp_path: Path) -> None:
    kept = keep(coded(Image.new("RGB", (MAX_SIDE * 2, 1000))), tmp_path)
    assert kept.size == Size(MAX_SIDE, 500)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a large picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [6400, 12_000, 20_000, 2_000_000_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    with pytest.raises(PictureUnreadable) as caught:
        keep(png_claiming(side, side), tmp_path)
    assert caught.value.reason == "too large"
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_more_than_64_mb_is_not_read(tmp_path: Path) -> None:
    source = tmp_path / "huge.png"
    with source.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(PictureUnreadable) as caught:
        keep(source, tmp_path / "starts")
    assert caught.value == PictureUnreadable(str(source), "too large")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_a_truncated_picture_is_damaged(tmp_path: Path, form: str) -> None:
    noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
    data = coded(noise, form)
    with pytest.raises(PictureUnreadable) as caught:
        keep(data[: len(data) * 2 // 3], tmp_path)
    assert caught.value.reason in ("damaged", "not a picture")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        coded(half_red(), "ICO"),
        coded(half_red(), "PPM"),
    ],
    ids=["empty", "text", "svg", "eps", "ico", "ppm"],
)
def test_what_is_no_picture_of_the_known_forms_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PictureUnreadable) as caught:
        keep(data, tmp_path)
    assert caught.value == PictureUnreadable("", "not a picture")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reasons = {}
    for name in ("pipe", "gone", "gone/below", "nul\0name"):
        with pytest.raises(PictureUnreadable) as caught:
            keep(tmp_path / name, tmp_path / "starts")
        reasons[name] = caught.value.reason
    with pytest.raises(PictureUnreadable) as caught:
        keep(tmp_path, tmp_path / "starts")
    assert caught.value.reason == "not a picture"
    assert reasons == {
        "pipe": "not a picture",
        "gone": "missing",
        "gone/below": "missing",
        "nul\0name": "not a picture",
    }


def test_a_folder_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "starts").write_text("a file")
    with pytest.raises(FolderNotWritable):
        keep(coded(half_red()), tmp_path / "starts")


def test_pillow_is_not_imported_before_the_first_picture() -> None:
    script = (
        "import sys, app.library.library, app.library.starts, app.library.settings_file\n"
        "print([name for name in ('PIL', 'numpy', 'torch') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
