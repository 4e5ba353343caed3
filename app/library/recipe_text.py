"""What a picture says about itself to other programs.

``parameters`` is the text that AUTOMATIC1111's web UI made common and most programs read; XMP
carries IPTC's ``DigitalSourceType`` (https://cv.iptc.org/newscodes/digitalsourcetype/), the
machine-readable mark of generated pictures.
"""

from __future__ import annotations

import json

from app import __version__
from app.core.recipe import Recipe, Scheduler

_THEIR_NAMES = {Scheduler.PNDM: "PLMS", Scheduler.DPMPP_2M_SDE: "DPM++ 2M SDE"}

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def parameters(recipe: Recipe) -> str:
    """``recipe`` in AUTOMATIC1111's form: the prompt, the negative prompt, one line of fields.

    LoRAs are named at the end of the prompt, as it is typed there.
    """
    fields = {
        "Steps": str(recipe.steps),
        "Sampler": _THEIR_NAMES.get(recipe.scheduler, recipe.scheduler.value),
        "CFG scale": f"{recipe.guidance:g}",
        "Seed": str(recipe.seed),
        "Size": str(recipe.size),
        "Model": recipe.model,
    }
    if recipe.vae is not None:
        fields["VAE"] = recipe.vae
    if recipe.start is not None:
        fields["Denoising strength"] = f"{recipe.start.strength:g}"
    fields["Version"] = f"Easel {__version__}"
    loras = "".join(f" <lora:{lora.id}:{lora.weight:g}>" for lora in recipe.loras)
    lines = [recipe.prompt + loras]
    if recipe.negative_prompt:
        lines.append(f"Negative prompt: {recipe.negative_prompt}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in fields.items()))
    return "\n".join(lines).encode("utf-8", "replace").decode("utf-8")


def xmp() -> str:
    """A minimal XMP packet that marks the picture as generated."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' Iptc4xmpExt:DigitalSourceType="{GENERATED}"'
        f' xmp:CreatorTool="Easel {__version__}"/>'
        "</rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    )


def _quoted(value: str) -> str:
    """Their rule: a value with a comma, colon or newline is quoted as JSON quotes it."""
    return json.dumps(value, ensure_ascii=False) if any(c in value for c in ',:"\n') else value
