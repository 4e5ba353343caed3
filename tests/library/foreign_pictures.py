"""Pictures as other programs write them: their fields, their keywords, their encodings."""

from __future__ import annotations

import io
import json
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

AUTOMATIC1111 = """masterpiece, (best quality:1.2), a red apple <lora:add_detail:0.8>
on a "wooden" table, [bokeh]; soft light
Negative prompt: lowres, bad: anatomy,
blurry
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 965400086, \
Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, VAE hash: 735e4c3a44, \
VAE: vae-ft-mse-840000-ema-pruned.safetensors, Clip skip: 2, ENSD: 31337, \
Lora hashes: "add_detail: 7c6bad76eb54", Version: v1.10.1"""

AUTOMATIC1111_OLD = """girl with an artist's beret, determined
Negative prompt: ugly, (((deformed)))
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b"""

COMFY_GRAPH = {
    "3": {
        "inputs": {
            "seed": 934966995009374,
            "steps": 20,
            "cfg": 8,
            "sampler_name": "dpmpp_2m",
            "scheduler": "karras",
            "denoise": 1,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
        "class_type": "KSampler",
        "_meta": {"title": "KSampler"},
    },
    "4": {
        "inputs": {"ckpt_name": "SD1.5\\v1-5-pruned-emaonly.ckpt"},
        "class_type": "CheckpointLoaderSimple",
        "_meta": {"title": "Load Checkpoint"},
    },
    "5": {
        "inputs": {"width": 512, "height": 768, "batch_size": 1},
        "class_type": "EmptyLatentImage",
        "_meta": {"title": "Empty Latent Image"},
    },
    "6": {
        "inputs": {"text": ["12", 0], "clip": ["10", 1]},
        "class_type": "CLIPTextEncode",
        "_meta": {"title": "CLIP Text Encode (Prompt)"},
    },
    "7": {
        "inputs": {"text": "text, watermark", "clip": ["10", 1]},
        "class_type": "CLIPTextEncode",
        "_meta": {"title": "CLIP Text Encode (Prompt)"},
    },
    "8": {"inputs": {"samples": ["11", 0], "vae": ["4", 2]}, "class_type": "VAEDecode"},
    "9": {
        "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]},
        "class_type": "SaveImage",
    },
    "10": {
        "inputs": {
            "lora_name": "add_detail.safetensors",
            "strength_model": 0.8,
            "strength_clip": 1,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
        "class_type": "LoraLoader",
    },
    "11": {
        "inputs": {
            "seed": 7,
            "steps": 10,
            "cfg": 8,
            "sampler_name": "euler",
            "scheduler": "simple",
            "denoise": 0.45,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["13", 0],
        },
        "class_type": "KSampler",
    },
    "12": {
        "inputs": {"value": 'beautiful scenery, a "glass" bottle; purple'},
        "class_type": "PrimitiveStringMultiline",
    },
    "13": {
        "inputs": {"upscale_method": "nearest-exact", "scale_by": 1.5, "samples": ["3", 0]},
        "class_type": "LatentUpscaleBy",
    },
}

INVOKE = {
    "app_version": "5.4.2",
    "generation_mode": "txt2img",
    "positive_prompt": 'a watercolour fox; in "snow"',
    "negative_prompt": "photo, 3d",
    "width": 512,
    "height": 768,
    "seed": 356120443,
    "rand_device": "cpu",
    "cfg_scale": 7.5,
    "steps": 30,
    "scheduler": "dpmpp_2m_k",
    "model": {
        "key": "abc",
        "hash": "blake3:00ff",
        "name": "v1-5-pruned-emaonly",
        "base": "sd-1",
        "type": "main",
    },
    "loras": [{"model": {"key": "l1", "name": "add_detail"}, "weight": 0.8}],
}

INVOKE_3 = {
    **INVOKE,
    "app_version": "3.3.0post3",
    "model": {"model_name": "v1-5-pruned-emaonly", "base_model": "sd-1", "model_type": "main"},
    "loras": [{"lora": {"model_name": "add_detail", "base_model": "sd-1"}, "weight": 0.8}],
}

INVOKE_2_DREAM = (
    '"a lonely robot [blurry, text]" -s 50 -S 1618033988 -W 512 -H 768 -C 7.5 -A k_euler_a'
)

FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "base_model_hash": "aeb7e9e689",
    "full_negative_prompt": ["blurry"],
    "full_prompt": ["cinematic still A sunflower field", "A sunflower field, intricate"],
    "guidance_scale": 4,
    "lora_combined_1": "sd_xl_offset_example-lora_1.0 : 0.1",
    "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]],
    "metadata_scheme": "fooocus",
    "negative_prompt": "",
    "performance": "Speed",
    "prompt": "A sunflower field",
    "prompt_expansion": "A sunflower field, highly detailed",
    "refiner_model": "None",
    "refiner_switch": 0.5,
    "resolution": "(896, 1152)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "127589946317439009",
    "sharpness": 2,
    "steps": 30,
    "styles": "['Fooocus V2', 'Fooocus Enhance', 'Fooocus Sharp']",
    "vae": "Default (model)",
    "version": "Fooocus v2.5.5",
}

NOVELAI = {
    "Title": "AI generated image",
    "Description": "1girl, silver hair, library; soft light",
    "Software": "NovelAI",
    "Source": "Stable Diffusion 1D44365E",
    "Comment": json.dumps(
        {
            "prompt": "1girl, silver hair, library; soft light",
            "steps": 28,
            "height": 1216,
            "width": 832,
            "scale": 5.0,
            "uncond_scale": 1.0,
            "seed": 3141592653,
            "n_samples": 1,
            "noise_schedule": "native",
            "sampler": "k_euler_ancestral",
            "uc": "lowres, jpeg artifacts",
        }
    ),
}

DRAW_THINGS = {
    "c": 'a lighthouse, "gouache"; calm',
    "uc": "blurry & dull",
    "model": "sd_v1.5_f16.ckpt",
    "sampler": "DPM++ 2M Karras",
    "scale": 7.5,
    "seed": 1601874409,
    "seed_mode": "Scale Alike",
    "size": "512x768",
    "steps": 20,
    "strength": 1,
    "lora": [{"model": "add_detail_lora_f16.ckpt", "weight": 0.8}],
    "v2": {"aestheticScore": 6, "batchCount": 1, "loras": []},
}

DRAW_THINGS_TEXT = (
    "a lighthouse, gouache\n-blurry & dull\n"
    "Steps: 20, Sampler: Euler Ancestral, Guidance Scale: 7.5, Seed: 1601874409, Size: 512x768, "
    "Model: sd_v1.5_f16.ckpt, Strength: 1.0, Seed Mode: Scale Alike"
)


def png(size: tuple[int, int] = (8, 8), **texts: str) -> bytes:
    """A PNG with those texts, as Pillow's ``PngInfo.add_text`` puts them: most programs use it."""
    chunks = PngInfo()
    for keyword, text in texts.items():
        chunks.add_text(keyword.replace("sd_metadata", "sd-metadata"), text)
    out = io.BytesIO()
    Image.new("RGB", size).save(out, "PNG", pnginfo=chunks)
    return out.getvalue()


def with_comment(comment: bytes, form: str = "JPEG") -> bytes:
    """A picture with those bytes as Exif's UserComment (piexif puts them so)."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, form, exif=exif.tobytes())
    return out.getvalue()


def comfy_png() -> bytes:
    """``workflow`` as the window writes it beside the graph."""
    workflow = {"last_node_id": 13, "nodes": [], "links": [], "version": 0.4}
    return png(prompt=json.dumps(COMFY_GRAPH), workflow=json.dumps(workflow))


def draw_things_png(comment: str | None, description: str) -> bytes:
    """XMP as Apple's Image I/O writes it for Draw Things, in an iTXt chunk."""
    said = "" if comment is None else _alternatives("exif:UserComment", comment)
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">\n'
        '   <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '      <rdf:Description rdf:about=""\n'
        '            xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '            xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '            xmlns:exif="http://ns.adobe.com/exif/1.0/">\n'
        f"         {_alternatives('dc:description', description)}\n"
        "         <xmp:CreatorTool>Draw Things</xmp:CreatorTool>\n"
        f"         {said}\n"
        "      </rdf:Description>\n   </rdf:RDF>\n</x:xmpmeta>\n"
    )
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", packet)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=chunks)
    return out.getvalue()


def _alternatives(name: str, text: str) -> str:
    inner = escape(text, {"\n": "&#xA;"})
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{inner}</rdf:li></rdf:Alt></{name}>'
