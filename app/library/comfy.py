"""ComfyUI's pictures: a graph of nodes, of which the first sampler says what was drawn.

The graph ("prompt": {id: {"class_type", "inputs"}}) is walked by sd-parsers. What it walks is made
here of the graph alone: the second text, "workflow", is absent in pictures made through the API,
and its newer forms (links as objects, subgraphs) sd-parsers 0.6 does not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.recipe import Draft, Size
from app.library.found_recipe import FoundLora, FoundRecipe, listed, real, scheduler_of, whole

if TYPE_CHECKING:
    from sd_parsers.data import Sampler

MAX_NODES = 1000
MAX_SAMPLERS = 16
"""More of either is no picture's graph, and the walk takes the product of both."""

Graph = dict[str, Any]


def read(graph: Graph) -> FoundRecipe | None:
    """The recipe in ``graph``; None where no node of it is a sampler."""
    from sd_parsers.parsers import ComfyUIParser

    # 1. Nodes alone, with what other nodes only hold for them
    nodes = {id: node for id, node in graph.items() if _is_node(node)}
    samplers = sum("sampler_name" in node["inputs"] for node in nodes.values())
    if not nodes or len(nodes) > MAX_NODES or not 0 < samplers <= MAX_SAMPLERS:
        return None
    nodes = {id: node | {"inputs": _inlined(node["inputs"], nodes)} for id, node in nodes.items()}
    # 2. The walk
    info = ComfyUIParser().parse({"prompt": nodes, "workflow": {"links": _links(nodes)}})
    if not info.samplers:
        return None
    sampler = _first(info.samplers)
    # 3. What it found
    rest = dict(sampler.parameters)
    spacing = str(rest.pop("scheduler", "") or "")
    scheduler, other_spacing = scheduler_of(str(sampler.name), spacing)
    strength = real(rest.pop("denoise", None))
    seed = rest.pop("seed", None)
    noise_seed = rest.pop("noise_seed", None)
    draft = Draft(
        prompt=", ".join(str(prompt) for prompt in sampler.prompts),
        negative_prompt=", ".join(str(prompt) for prompt in sampler.negative_prompts),
        size=_size(nodes, sampler.sampler_id or ""),
        steps=whole(rest.pop("steps", None)),
        guidance=real(rest.pop("cfg_scale", None)),
        seed=whole(noise_seed if seed is None else seed),
        scheduler=scheduler,
    )
    model = _model(nodes, sampler.sampler_id or "")
    loras = _loras(nodes, sampler.sampler_id or "")
    more = [("samplers", len(info.samplers))] if len(info.samplers) > 1 else []
    unknown = listed([("scheduler", other_spacing), *rest.items(), *more])
    # A sampler that redraws all of it starts from nothing.
    redrawn = None if strength is None or strength >= 1 else strength
    return FoundRecipe("ComfyUI", draft, model, "", loras, redrawn, unknown)


def _is_node(node: object) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
    )


def _first(samplers: list[Sampler]) -> Sampler:
    """The one that draws the picture: later ones enlarge it or refine it."""
    whole_ones = [s for s in samplers if (real(s.parameters.get("denoise")) or 1.0) >= 1.0]
    return (whole_ones or samplers)[0]


def _inlined(inputs: Graph, nodes: Graph) -> Graph:
    """``inputs`` with a link to a node that only holds one value replaced by that value."""
    found: Graph = {}
    for name, value in inputs.items():
        held = _held(nodes.get(_linked(value)))
        found[name] = value if held is None or name in ("clip", "model", "vae") else held
    return found


def _held(node: Graph | None) -> str | int | float | None:
    """The value of a node that does nothing but hold it."""
    if node is None or "Load" in node["class_type"] or len(node["inputs"]) != 1:
        return None
    (value,) = node["inputs"].values()
    return value if isinstance(value, str | int | float) else None


def _links(nodes: Graph) -> list[list[object]]:
    """[link, from, slot, to, slot, type], as a workflow lists them."""
    return [
        [0, _linked(value), 0, id, 0, name.upper()]
        for id, node in nodes.items()
        for name, value in node["inputs"].items()
        if _linked(value) in nodes
    ]


def _linked(value: object) -> str:
    """The id of the node that an input comes from; "" for a value."""
    return str(value[0]) if isinstance(value, list) and len(value) == 2 else ""


def _upstream(nodes: Graph, id: str, through: tuple[str, ...]) -> list[Graph]:
    """The nodes that ``id`` depends on by inputs of those names, nearest first."""
    found: list[Graph] = []
    seen, waiting = {id}, [id]
    while waiting:
        for name, value in nodes[waiting.pop(0)]["inputs"].items():
            source = _linked(value)
            if name in through and source in nodes and source not in seen:
                seen.add(source)
                waiting.append(source)
                found.append(nodes[source])
    return found


def _size(nodes: Graph, sampler: str) -> Size | None:
    for node in _upstream(nodes, sampler, ("latent_image", "samples", "latent")):
        sides = whole(node["inputs"].get("width")), whole(node["inputs"].get("height"))
        if sides[0] is not None and sides[1] is not None:
            return Size(sides[0], sides[1])
    return None


def _model(nodes: Graph, sampler: str) -> str:
    """Looked up here: sd-parsers 0.6 takes the link of a LoRA's "model" for a name."""
    for node in _upstream(nodes, sampler, ("model",)):
        name = node["inputs"].get("ckpt_name") or node["inputs"].get("unet_name")
        if isinstance(name, str):
            return name
    return ""


def _loras(nodes: Graph, sampler: str) -> tuple[FoundLora, ...]:
    found = []
    for node in _upstream(nodes, sampler, ("model",)):
        name = node["inputs"].get("lora_name")
        if isinstance(name, str):
            weight = real(node["inputs"].get("strength_model"))
            found.append(FoundLora(name, 1.0 if weight is None else weight))
    return tuple(found)
