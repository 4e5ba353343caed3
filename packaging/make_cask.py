"""Writes the Homebrew cask of a release: ``brew install --cask easel`` from one's own tap.

    python packaging/make_cask.py Easel-1.2.3-arm64.dmg https://example.org/v1.2.3 > easel.rb

The address is that of the folder the .dmg is downloaded from. Stanzas as Homebrew's "Cask Cookbook"
has them, in its order.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from pathlib import Path

import freeze_config as config

MACOS = {"14": "sonoma", "15": "sequoia", "26": "tahoe"}
_NAME = re.compile(rf"{config.NAME}-([0-9]+(?:\.[0-9]+)*)-arm64\.dmg")
CASK = """\
cask "easel" do
  version "{version}"
  sha256 "{sha256}"

  url "{folder}/Easel-#{{version}}-arm64.dmg"
  name "Easel"
  desc "Draws pictures from words with Stable Diffusion, on this machine"
  homepage "{homepage}"

  depends_on arch: :arm64
  depends_on macos: ">= :{macos}"

  app "Easel.app"

  zap trash: [
    "~/Library/Application Support/Easel",
    "~/Library/Caches/Easel",
    "~/Library/Logs/Easel",
    "~/Library/Saved Application State/{identifier}.savedState",
  ]
end
"""


def cask(dmg: Path, folder: str) -> str:
    """The cask's text. Raises ValueError for an image that is no release."""
    found = _NAME.fullmatch(dmg.name)
    if found is None:
        raise ValueError(f"{dmg.name} is no release: those are called Easel-1.2.3-arm64.dmg")
    if not re.fullmatch(r"https://[\w./-]+", folder):
        raise ValueError(f"{folder} is no address with https")
    version = found[1]
    return CASK.format(
        version=version,
        sha256=hashlib.sha256(dmg.read_bytes()).hexdigest(),
        folder=folder.rstrip("/").replace(version, "#{version}"),
        homepage=re.sub(r"/releases/.*", "", folder.rstrip("/")),
        macos=MACOS[config.MINIMUM_MACOS.split(".")[0]],
        identifier=config.IDENTIFIER,
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dmg", type=Path)
    parser.add_argument("folder")
    asked = parser.parse_args(arguments)
    try:
        print(cask(asked.dmg, asked.folder), end="")
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
