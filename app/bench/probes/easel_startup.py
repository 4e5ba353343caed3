"""The program, launched as a person does, up to its first paint. Then it ends.

Writes the process's CPU seconds at that point and which heavy packages it has imported.
"""

from __future__ import annotations

import os
import sys
import time

from app.bench.probes.whole_app import FirstPaint, launch

HEAVY = ("torch", "diffusers", "transformers", "coremltools", "numpy")


def main(arguments: list[str]) -> int:
    out = arguments[arguments.index("--out") + 1]

    def painted() -> None:
        cpu = time.process_time()
        imported = [name for name in HEAVY if name in sys.modules]

        from app.bench.watch import peak, write

        numbers = {"cpu": cpu, "heavy": len(imported), "peak": peak()}
        write(out, numbers, {"imported": " ".join(imported)})
        os._exit(0)  # nothing was drawn; the engine's child must not start

    return launch(lambda window: FirstPaint(window, painted))
