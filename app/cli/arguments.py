"""What may be typed after ``easel``."""

from __future__ import annotations

import argparse
from typing import NoReturn

from app import __version__
from app.core.recipe import Scheduler

VERBS = ("generate", "models", "library", "convert", "doctor", "selftest", "bench")


class UsageError(Exception):
    """The command line itself cannot be understood. ``str`` is a sentence with a next step."""


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the program; says things as the rest of Easel does."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{_sentence(message)} Type “{self.prog} --help” to see what there is.")


def parser() -> Parser:
    """The parser of the whole command line. Numbers stay text: ``generate`` judges them."""
    top = Parser(
        prog="easel",
        description="Draw with Stable Diffusion on your own computer. Without a command, "
        "Easel opens its window.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"Easel {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="COMMAND", title="commands", required=True)
    _add_generate(verbs)
    _add_models(verbs)
    _add_convert(verbs)
    _add_library(verbs)
    doctor = verbs.add_parser(
        "doctor",
        help="say what is installed and what may be wrong",
        description="Look at everything Easel needs and say what may be wrong. "
        "Ends with 1 when something is.",
        allow_abbrev=False,
    )
    doctor.add_argument(
        "--connections",
        action="store_true",
        help="list every connection that Easel ever made, instead",
    )
    doctor.add_argument(
        "--coreml", action="store_true", help="say what Core ML can do on this Mac, instead"
    )
    _add_json(doctor)
    selftest = verbs.add_parser(
        "selftest",
        help="draw with the built-in model and check the result",
        description="Draw with the built-in model into a temporary folder and check every part "
        "on the way: what came with Easel, each form of pictures, child processes, the conversion "
        "to Core ML, certificates. Nothing is downloaded. Ends with 1 when a check fails.",
        allow_abbrev=False,
    )
    selftest.add_argument(
        "--coreml",
        action="store_true",
        help="load and ask each Core ML model on each unit of this Mac, instead",
    )
    _add_json(selftest)
    verbs.add_parser(
        "bench", help="measure Easel on this computer (easel bench --help)", add_help=False
    )
    return top


def _add_generate(verbs: argparse._SubParsersAction[Parser]) -> None:
    generate = verbs.add_parser(
        "generate",
        help="draw pictures from a prompt",
        description="Draw pictures from a prompt and print where they are. Without -o they go "
        "into the pictures folder. Each has its recipe inside.",
        epilog="Ends with 0 when all is well, 1 when something went wrong or was stopped, and 2 "
        "when what was asked cannot be.",
        allow_abbrev=False,
    )
    add = generate.add_argument
    add("prompt", metavar="PROMPT", help='what to draw, for example "a red apple"')
    add("-o", "--output", metavar="FILE", help="write to this .png, .jpg, .webp or .avif file")
    add("--negative", metavar="TEXT", default="", help="what the picture should not show")
    add("--seed", metavar="N", help="0 to 4294967295; the same seed gives the same picture")
    add("--steps", metavar="N", help="more steps take longer and draw finer")
    add("--guidance", metavar="X", help="how closely to follow the prompt; 1 is not at all")
    add("--size", metavar="WxH", help="width and height in pixels, for example 512x512")
    add("--scheduler", metavar="NAME", help=", ".join(f'"{s.value}"' for s in Scheduler))
    add("--count", metavar="N", help="how many pictures, with seeds N, N+1, ...")
    add("--model", metavar="ID", help='a model of "easel models", or the folder of one')
    add(
        "--lora",
        metavar="ID[:WEIGHT]",
        action="append",
        default=[],
        help="an installed LoRA and its weight, -2 to 2; may be given more than once",
    )
    add("--vae", metavar="ID", help="an installed autoencoder in place of the model's own")
    add(
        "--engine",
        choices=("torch", "coreml"),
        help="draw with PyTorch, or with what “easel convert” made of the model",
    )
    add("--start", metavar="FILE", help="a picture to start from")
    add("--strength", metavar="X", help="how much of the starting picture to redraw, up to 1")
    add("--mask", metavar="FILE", help="a picture of that size; only where it is white is redrawn")
    _add_json(generate, "print one JSON object a line: each step, each picture, each error")


def _add_models(verbs: argparse._SubParsersAction[Parser]) -> None:
    models = verbs.add_parser(
        "models",
        help="list the models on this computer; get, check, import and remove them",
        description="List the models that Easel can draw with. Only “add”, “get”, “check "
        "--mend” and “verify-catalogue” connect to the internet.",
        allow_abbrev=False,
    )
    _add_json(models)
    models.set_defaults(action=None)
    actions = models.add_subparsers(dest="action", metavar="ACTION", title="actions")
    about = {
        "shelf": "list what can be installed",
        "licence": "print the licence of a model on the shelf",
        "add": "look up a model of the hub by its name, so that it can be got",
        "token": "keep an access token in the keychain; it is read from the standard input",
        "get": "accept its licence, download it, install it",
        "check": "read every byte of the installed models again",
        "verify-catalogue": "ask the hub whether each file of the shelf is still what it was",
        "remove": "take an installed model away, a conversion of it, or a card that was added",
        "import": "bring in a .safetensors, .ckpt or .easelpack file",
        "export": "write an installed model as one .easelpack file",
        "move": "keep the installed models in another folder, on another disk too",
    }
    made = {
        name: actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        for name, text in about.items()
    }
    for name in ("licence", "get", "remove", "export"):
        made[name].add_argument("id", metavar="ID", help="a model of “easel models shelf”")
    for name in ("get", "import"):
        made[name].add_argument(
            "--accept-licence",
            metavar="SHA256",
            help="the SHA-256 or the name of the licence that is accepted, for scripts",
        )
    made["add"].add_argument(
        "name", metavar="ORG/NAME", help="its name on the hub, or the address of its page"
    )
    made["add"].add_argument(
        "--revision", metavar="R", default="", help="a branch, a tag or a commit of it"
    )
    made["token"].add_argument("--forget", action="store_true", help="forget it instead")
    made["check"].add_argument("id", metavar="ID", nargs="?", help="this one alone")
    made["check"].add_argument("--mend", action="store_true", help="fetch what is damaged anew")
    made["move"].add_argument("folder", metavar="FOLDER", help="where they are to be kept")
    for name in ("import", "export"):
        made[name].add_argument("file", metavar="FILE", help="a model file")
    for parser in made.values():
        parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON"
        )


def _add_convert(verbs: argparse._SubParsersAction[Parser]) -> None:
    convert = verbs.add_parser(
        "convert",
        help="make Core ML models of a model, for the Neural Engine or the GPU of a Mac",
        description="Convert a model to Core ML and print the folder. It takes minutes, and twice "
        "the model's size of disk. Ctrl-C stops it and leaves nothing behind.",
        epilog="Ends with 0 when all is well, 1 when something went wrong or was stopped, and 2 "
        "when what was asked cannot be.",
        allow_abbrev=False,
    )
    add = convert.add_argument
    add("model", metavar="MODEL", help='a model of "easel models", or the folder of one')
    add("--for", dest="runs", choices=("ane", "gpu"), default="ane", metavar="UNIT",
        help='"ane" (Neural Engine; the default) or "gpu": sets what is not given')  # fmt: skip
    add("--bits", choices=("16", "8", "6", "4"), metavar="N",
        help="bits a weight: 16 (as they are), 8, 6 or 4; 6 for the Neural Engine")  # fmt: skip
    add("--palette", choices=("kmeans", "uniform"), default="kmeans", metavar="HOW",
        help='how the values of 8 bits and less are chosen: "kmeans" or "uniform"')  # fmt: skip
    add("--attention", choices=("split_einsum", "split_einsum_v2", "sdpa"), metavar="KIND",
        help='"split_einsum", "split_einsum_v2" (Neural Engine) or "sdpa" (GPU)')  # fmt: skip
    add("--size", action="append", default=[], metavar="WxH",
        help="a size of pictures; more than one needs macOS 15")  # fmt: skip
    add("--batch", action="append", default=[], choices=("1", "2"), metavar="N",
        help="pictures at a time: 2 (negative and positive; the default), 1, or both")  # fmt: skip
    add("--lora", action="append", default=[], metavar="FILE[:WEIGHT]",
        help="a LoRA to fuse, for example style.safetensors:0.8")  # fmt: skip
    add("--fast", action="store_true",
        help="one of the LoRAs is an LCM-LoRA: few steps, no guidance")  # fmt: skip
    add("--controlnet", action="store_true", help="the UNet also takes what a ControlNet gives")
    add("--output", metavar="FOLDER", help="the new folder; needed for a model given by its folder")
    add("--verify", action="store_true", help="then run the packages and compare their answers")
    _add_json(convert, "print one JSON object a line: progress, the folder, each error")


def _add_library(verbs: argparse._SubParsersAction[Parser]) -> None:
    library = verbs.add_parser(
        "library",
        help="list and search the pictures; make the list of them again",
        description="List and search the pictures in the pictures folder. The list is made of "
        "the files alone, whoever put them there.",
        allow_abbrev=False,
    )
    actions = library.add_subparsers(
        dest="action", metavar="ACTION", title="actions", required=True
    )
    about = {
        "list": "list every picture, the newest first",
        "search": "list the pictures that have all these words, or the beginnings of them",
        "rebuild": "make the list again from the files alone; favourites and tags stay",
        "recipe": "say how a picture was drawn, by Easel or by another program",
    }
    made = {
        name: actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        for name, text in about.items()
    }
    made["search"].add_argument(
        "text",
        metavar="TEXT",
        nargs="+",
        help="words of the prompt, the model, the scheduler, the seed or the date; also "
        "seed:17, date:2026-11, model:xl, tag:garden, is:favourite",
    )
    made["recipe"].add_argument("file", metavar="FILE", help="a picture")
    for parser in made.values():
        _add_json(parser)


def _add_json(parser: argparse.ArgumentParser, text: str = "print JSON") -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _sentence(message: str) -> str:
    """argparse's own words, turned into a sentence."""
    if "invalid choice" in message and "COMMAND" in message:
        wrong = message.partition("invalid choice: ")[2].partition(" (")[0].strip("'\"")
        return f"Easel has no command “{wrong}”; it has {', '.join(VERBS)}."
    if message.startswith("the following arguments are required: "):
        missing = message.partition(": ")[2]
        return f"There is no {'command' if missing == 'COMMAND' else missing.lower()} given."
    if message.startswith("unrecognized arguments: "):
        return f"Easel does not know what to do with “{message.partition(': ')[2]}”."
    if message.startswith("argument ") and message.endswith("expected one argument"):
        return f"Something has to follow {message.split(':')[0].removeprefix('argument ')}."
    return f"{message[:1].upper()}{message[1:]}."
