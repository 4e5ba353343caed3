"""What the hub of the tests answers about a repository, in the form of the real hub's API.

Made from the files that are served. ``.api.json`` beside them says the rest: "gated", "private",
"license" (the tag), "page" (rows on a page), "rows" (more rows for the tree), "cdn" (large files
are redirected there), "lies" (path to other values of its row), "etags" (files come with the marks
that the real client asks for).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "c" * 40
ABOUT = ".api.json"
LARGE = (".safetensors", ".bin", ".ckpt")
"""What lies in Git LFS."""
_ASKED = re.compile(
    r"/api/models/(?P<name>[^/]+/[^/]+)/(?P<what>revision|tree)/(?P<revision>[^/]+)"
)


@dataclass
class Reply:
    """The status, the headers and the JSON of an answer."""

    status: int
    headers: dict[str, object] = field(default_factory=dict)
    data: Any = None


def about(root: Path) -> dict[str, Any]:
    file = root / ABOUT
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def is_large(path: str) -> bool:
    return path.endswith(LARGE)


def marks(path: str, data: bytes) -> dict[str, str]:
    """The commit, and what the hub says of the content: SHA-256 of large files, git's of others."""
    if not is_large(path):
        return {"X-Repo-Commit": COMMIT, "ETag": f'"{blob(data)}"'}
    sha256 = hashlib.sha256(data).hexdigest()
    linked = {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{sha256}"'}
    return {"X-Repo-Commit": COMMIT, "ETag": f'"{sha256}"', **linked}


def reply(root: Path, target: str, authorised: bool, base: str) -> Reply:
    """The answer to ``target``; ``base`` is the address of the hub itself."""
    told, parts = about(root), urlsplit(target)
    asked = _ASKED.fullmatch(parts.path)
    if asked is None or (told.get("private") and not authorised):
        return Reply(401, {"X-Error-Code": "RepoNotFound"}, {"error": "Invalid username"})
    if unquote(asked["revision"]) not in ("main", "fp16", COMMIT):
        return Reply(404, {"X-Error-Code": "RevisionNotFound"}, {"error": "Invalid rev id"})
    if asked["what"] == "revision":
        return Reply(200, data=_info(told, asked["name"]))
    rows = _rows(root, told)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    start, size = int(query.get("cursor", 0)), told.get("page", 1000)
    headers: dict[str, object] = {}
    if start + size < len(rows):
        recursive = query.get("recursive", "false")
        onward = f"{base}{parts.path}?recursive={recursive}&cursor={start + size}"
        headers["Link"] = f'<{onward}>; rel="next"'
    return Reply(200, headers, rows[start : start + size])


def _info(told: dict[str, Any], name: str) -> dict[str, Any]:
    info: dict[str, Any] = {
        "_id": "0" * 24,
        "id": name,
        "modelId": name,
        "sha": COMMIT,
        "private": told.get("private", False),
        "gated": told.get("gated", False),
        "disabled": False,
        "downloads": 1,
        "likes": 0,
        "tags": ["diffusers"],
        "siblings": [],
    }
    if "license" in told:
        info["tags"].append(f"license:{told['license']}")
        info["cardData"] = {"license": told["license"]}
    return info


def _rows(root: Path, told: dict[str, Any]) -> list[dict[str, Any]]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != ABOUT)
    rows = [_row(path.relative_to(root).as_posix(), path.read_bytes()) for path in files]
    folders = {parent for path in files for parent in path.relative_to(root).parents}
    rows += [
        {"type": "directory", "oid": "d" * 40, "size": 0, "path": folder.as_posix()}
        for folder in sorted(folders - {Path()})
    ]
    lies = told.get("lies", {})
    return [row | lies.get(row["path"], {}) for row in rows] + told.get("rows", [])


def _row(path: str, data: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"type": "file", "size": len(data), "path": path}
    if not is_large(path):
        return row | {"oid": blob(data)}
    sha256 = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\n".encode()
    pointer += f"size {len(data)}\n".encode()
    lfs = {"oid": sha256, "size": len(data), "pointerSize": len(pointer)}
    return row | {"oid": blob(pointer), "lfs": lfs}


def blob(data: bytes) -> str:
    """What ``git hash-object`` says."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
