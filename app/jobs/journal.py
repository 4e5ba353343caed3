"""The queue on disk, so that what waited at a crash or a quit can be offered again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from app.core import recipe_json
from app.core.model import Model
from app.core.recipe import Recipe
from app.files.atomic_file import write_over
from app.jobs.queue import Job, JobState

VERSION = 1


class Journal:
    """One JSON file: ``{"easel": 1, "jobs": [{"id", "group", "index", "of", "recipe"}]}``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self, find_model: Callable[[str], Model | None]) -> tuple[Job, ...]:
        """The jobs of last time whose model is still here; none where there is no sound journal.

        What cannot be read is put aside as ``<name>.damaged``, and never stops a start.
        """
        try:
            data = json.loads(self._file.read_bytes())
            if data["easel"] != VERSION:
                raise ValueError(f"journal version {data['easel']!r}")
            entries = [_entry(entry) for entry in data["jobs"]]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._put_aside()
            return ()
        jobs = []
        for id_, group, index, of, recipe in entries:
            model = find_model(recipe.model)
            if model is not None:
                jobs.append(Job(id_, recipe, model, JobState.WAITING, group, index, of))
        return tuple(jobs)

    def write(self, jobs: Iterable[Job]) -> None:
        """Replace what the file holds: all or nothing, also at a power cut.

        Raises FolderNotWritable, NoSpace.
        """
        entries = [
            {
                "id": job.id,
                "group": job.group,
                "index": job.index,
                "of": job.of,
                "recipe": recipe_json.to_dict(job.recipe),
            }
            for job in jobs
        ]
        text = json.dumps({"easel": VERSION, "jobs": entries})
        write_over(self._file, text.encode())

    def _put_aside(self) -> None:
        with contextlib.suppress(OSError):
            self._file.replace(self._file.with_name(self._file.name + ".damaged"))


def _entry(entry: dict[str, object]) -> tuple[str, str, int, int, Recipe]:
    recipe = entry["recipe"]
    index, of = entry["index"], entry["of"]
    if not (isinstance(recipe, dict) and isinstance(index, int) and isinstance(of, int)):
        raise ValueError("not a journal entry")
    return str(entry["id"]), str(entry["group"]), index, of, recipe_json.from_dict(recipe)
