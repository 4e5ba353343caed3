"""Model folders, good and bad. A bad one is named for what is wrong with it, before any loading."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import ModelDamaged, ModelIncomplete, ModelMissing, ModelUnsupported
from app.core.folders import Folders
from app.core.model import Family, Feature, Vocabulary
from app.core.recipe import Scheduler, Size
from app.engine.family_limits import Shape, limits_of
from app.engine.model_folder import component_weights, read_model, starter, vocabulary
from app.places import find_shipped
from tests.engine.conftest import TinyModel


@pytest.fixture
def own(tiny_folder: Callable[..., Path], tmp_path: Path) -> Path:
    """A copy of the tiny SD 1.x model that the test may damage."""
    return Path(shutil.copytree(tiny_folder("sd1"), tmp_path / "model"))


def change(file: Path, **values: object) -> None:
    data = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(data | values), "utf-8")


@pytest.mark.parametrize(
    ("kind", "family", "native"),
    [
        ("sd1", Family.SD1, 512),
        ("sd2", Family.SD2, 768),
        ("sdxl", Family.SDXL, 1024),
        ("starter", Family.SD1, 128),
    ],
)
def test_the_family_and_its_native_size_are_read_from_the_configurations(
    kind: str, family: Family, native: int, tiny_model: TinyModel
) -> None:
    model = tiny_model(kind)
    assert model.family is family
    assert model.limits.native == Size(native, native)
    assert model.limits.max_tokens == (22 if kind == "starter" else 75)
    assert model.id == model.folder
    assert not model.built_in


def test_the_published_width_tells_sd2_apart(own: Path) -> None:
    change(own / "unet" / "config.json", cross_attention_dim=1024)
    assert read_model(own).family is Family.SD2


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        (Family.SD1, Shape(8, 3, 64, 75)),
        (Family.SD2, Shape(8, 3, 96, 75)),
        (Family.SDXL, Shape(8, 2, 128, 75)),
        (Family.SD1, Shape(8, 1, 16, 22)),
        (Family.SD1, Shape(4, 3, 50, 75)),
    ],
)
def test_the_shapes_offered_can_be_drawn_and_have_about_the_native_area(
    family: Family, shape: Shape
) -> None:
    limits = limits_of(family, shape)
    area = limits.native.width * limits.native.height
    assert limits.shapes[0] == limits.native
    assert len(limits.shapes) == 5
    for size in limits.shapes:
        assert 0.75 < size.width * size.height / area < 1.3
        for side in (size.width, size.height):
            assert limits.min_side <= side <= limits.max_side
            assert side % limits.side_step == 0
            assert side % 8 == 0


def test_sdxl_offers_the_sizes_it_was_trained_with() -> None:
    shapes = limits_of(Family.SDXL, Shape(8, 2, 128, 75)).shapes
    assert shapes[:4] == (Size(1024, 1024), Size(896, 1152), Size(1152, 896), Size(768, 1344))


@pytest.mark.parametrize("folder", ["models/starter", "stabilityai/sd-turbo", "", "/no/such\0name"])
def test_only_an_absolute_folder_that_is_there_is_looked_at(folder: str) -> None:
    with pytest.raises(ModelMissing):
        read_model(Path(folder))


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"")
    with pytest.raises(ModelMissing):
        read_model(file)


def test_an_empty_folder_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(ModelIncomplete) as caught:
        read_model(tmp_path)
    assert caught.value.missing == ("model_index.json",)


def test_everything_that_is_missing_is_named_at_once(own: Path) -> None:
    (own / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (own / "tokenizer" / "tokenizer.json").unlink()
    shutil.rmtree(own / "vae")
    with pytest.raises(ModelIncomplete) as caught:
        read_model(own)
    assert set(caught.value.missing) == {
        "vae/config.json",
        "tokenizer/tokenizer.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    }


def test_pickled_weights_do_not_count(own: Path) -> None:
    weights = own / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelIncomplete):
        read_model(own)


def test_a_text_file_renamed_to_safetensors_is_damage(own: Path) -> None:
    file = own / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_text("I am not a model, I am a letter to the editor.\n" * 100)
    with pytest.raises(ModelDamaged) as caught:
        read_model(own)
    assert caught.value == ModelDamaged(str(file), "not safetensors")


def test_a_download_that_stopped_half_way_is_damage(own: Path) -> None:
    file = own / "vae" / "diffusion_pytorch_model.safetensors"
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)
    with pytest.raises(ModelDamaged, match="truncated"):
        read_model(own)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "[" * 100_000, "\udcff"])
def test_a_configuration_that_is_no_json_object_is_damage(own: Path, content: str) -> None:
    (own / "unet" / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelDamaged, match="not JSON"):
        read_model(own)


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("unet/config.json", {"block_out_channels": [99, 32, 32, 32]}),
        ("unet/config.json", {"block_out_channels": "wide"}),
        ("unet/config.json", {"block_out_channels": [16] + [10**12] * 3}),
        ("unet/config.json", {"sample_size": 10**9}),
        ("unet/config.json", {"sample_size": [1, 2]}),
        ("vae/config.json", {"block_out_channels": [4] * 40}),
        ("text_encoder/config.json", {"max_position_embeddings": -1}),
        ("text_encoder/config.json", {"max_position_embeddings": None}),
    ],
)
def test_a_configuration_that_contradicts_the_weights_or_sense_is_damage(
    own: Path, file: str, values: dict[str, object]
) -> None:
    change(own / file, **values)
    with pytest.raises(ModelDamaged, match="mismatch"):
        read_model(own)


@pytest.mark.parametrize(
    ("file", "values", "found"),
    [
        ("model_index.json", {"_class_name": "FluxPipeline"}, "FluxPipeline"),
        ("model_index.json", {"_class_name": "os.system"}, "os.system"),
        ("model_index.json", {"vae": ["diffusers", "AsymmetricAutoencoderKL"]}, "Asymmetric"),
        ("model_index.json", {"vae": None}, "nothing"),
        ("unet/config.json", {"in_channels": 5}, "5 input channels"),
    ],
)
def test_a_model_of_another_kind_is_unsupported(
    own: Path, file: str, values: dict[str, object], found: str
) -> None:
    change(own / file, **values)
    with pytest.raises(ModelUnsupported, match=found):
        read_model(own)


def test_a_model_made_for_inpainting_can_do_all_that_others_can(
    tiny_folder: Callable[..., Path],
) -> None:
    model = read_model(tiny_folder("sd1-inpainting"))
    assert model.family is Family.SD1
    assert model.limits == read_model(tiny_folder("sd1")).limits
    assert Feature.INPAINTING in model.limits.features


def test_weights_named_fp16_are_found(own: Path) -> None:
    file = own / "unet" / "diffusion_pytorch_model.safetensors"
    file.rename(file.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert component_weights(own, "unet").variant == "fp16"
    assert read_model(own)


def test_weights_in_several_files_are_all_looked_at(own: Path) -> None:
    place = own / "unet"
    whole = place / "diffusion_pytorch_model.safetensors"
    shutil.copy(whole, place / "part-2.safetensors")
    whole.rename(place / "part-1.safetensors")
    names = {"a": "part-1.safetensors", "b": "part-2.safetensors"}
    index = place / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    assert len(component_weights(own, "unet").headers) == 2
    (place / "part-2.safetensors").unlink()
    with pytest.raises(ModelIncomplete, match=r"unet/part-2\.safetensors"):
        component_weights(own, "unet")
    index.write_text(json.dumps({"weight_map": {"a": "../../part-1.safetensors"}}))
    with pytest.raises(ModelDamaged, match="mismatch"):
        component_weights(own, "unet")


@pytest.mark.parametrize("name", ["with space", "\U0001f34e", "שלום", "new\nline", "q'uote\""])
def test_any_folder_name_will_do(
    tiny_folder: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder("starter"), tmp_path / name))
    assert read_model(folder).title == name


def folders_with(tmp_path: Path, model: Path | None, card: str | None) -> Folders:
    shipped = tmp_path / "shipped"
    (shipped / "models" / "catalog").mkdir(parents=True)
    if model is not None:
        shutil.copytree(model, shipped / "models" / "starter")
    if card is not None:
        (shipped / "models" / "catalog" / "starter.toml").write_text(card, "utf-8")
    return Folders(shipped, tmp_path, tmp_path, tmp_path, tmp_path)


def test_the_starters_limits_come_from_its_catalogue_file(
    tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    card = (find_shipped() / "models" / "catalog" / "starter.toml").read_text("utf-8")
    model = starter(folders_with(tmp_path, tiny_folder("starter"), card))
    assert (model.id, model.title, model.built_in) == ("starter", "Starter", True)
    limits = model.limits
    assert limits.native == limits.shapes[0] == Size(128, 128)
    assert (limits.steps, limits.quick_steps, limits.fine_steps, limits.guidance) == (20, 8, 40, 4)
    assert limits.scheduler is Scheduler.DPMPP_2M_KARRAS
    assert limits.max_tokens == 22, "from the model itself"
    assert limits.features == frozenset(Feature) - {Feature.LORA}
    for size in limits.shapes:
        for side in (size.width, size.height):
            assert limits.min_side <= side <= limits.max_side
            assert side % limits.side_step == 0


@pytest.mark.parametrize(
    ("card", "error"),
    [(None, ModelIncomplete), ("=", ModelDamaged), ('id = "x"', ModelDamaged)],
)
def test_a_starter_without_a_good_catalogue_file_is_named(
    card: str | None, error: type, tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(error):
        starter(folders_with(tmp_path, tiny_folder("starter"), card))


def test_a_starter_that_is_not_there_is_missing(tmp_path: Path) -> None:
    card = (find_shipped() / "models" / "catalog" / "starter.toml").read_text("utf-8")
    with pytest.raises(ModelMissing):
        starter(folders_with(tmp_path, None, card))


def test_the_words_a_model_knows_are_read(own: Path) -> None:
    (own / "vocabulary.json").write_text(
        json.dumps(
            {
                "nouns": [{"word": "dog", "synonyms": ["puppy"]}, {"word": "apple"}],
                "colours": ["red"],
                "examples": ["a red apple"],
            }
        )
    )
    assert vocabulary(read_model(own)) == Vocabulary(
        nouns=("dog", "apple"),
        colours=("red",),
        examples=("a red apple",),
        synonyms=(("puppy", "dog"),),
    )


@pytest.mark.parametrize("content", [None, "", "[]", '{"nouns": 3}', '{"nouns": [3]}'])
def test_a_model_without_good_words_knows_none(own: Path, content: str | None) -> None:
    if content is not None:
        (own / "vocabulary.json").write_text(content)
    words = vocabulary(read_model(own))
    assert words.synonyms == ()
    assert words.nouns in ((), ("3",))


def test_reading_a_model_imports_nothing_heavy(tiny_folder: Callable[..., Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from app.engine.model_folder import read_model;"
        "from app.engine.prompt_tokens import TokenCounter;"
        "model = read_model(Path(sys.argv[1])); TokenCounter(model).count('a red apple');"
        "print([m for m in ('torch', 'numpy', 'PIL', 'transformers') if m in sys.modules])"
    )
    root = str(Path(__file__).resolve().parents[2])
    found = subprocess.run(
        [sys.executable, "-c", code, str(tiny_folder("starter"))],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def test_limits_given_by_the_caller_win(own: Path) -> None:
    limits = dataclasses.replace(read_model(own).limits, max_side=520)
    model = read_model(own, id="mine", title="Mine", limits=limits)
    assert (model.id, model.title, model.limits) == ("mine", "Mine", limits)
