"""The process that one contestant runs in: it loads its data once, then works whenever told to.

``python -m benchmarks._worker MODULE FUNCTION ARGUMENTS`` imports the function, which must return
a ``Job``, says that it is ready, and then answers each line on standard input with a run. Answers
are one line of JSON; whatever the libraries print goes to standard error. It needs nothing but the
standard library and what the function needs.
"""

import ctypes
import gc
import importlib
import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any, TextIO

from ._job import Job

_MEMORY_STATUS = Path("/proc/self/status")


def main() -> None:
    """Prepare the job, then run it once for every line read."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    module, function, arguments = sys.argv[1:]
    prepare = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    job = prepare(**json.loads(arguments))
    _answer(answers, {"ready": True})
    for _ in sys.stdin:
        _answer(answers, _measured(job))


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _measured(job: Job) -> dict[str, Any]:
    gc.collect()
    _give_memory_back()
    before = _reset_peak()
    start = time.perf_counter()
    for _ in range(job.loops - 1):
        job.run()
    result = job.run()
    seconds = (time.perf_counter() - start) / job.loops
    peak = None if before is None else _memory("VmHWM") - before
    return {"seconds": seconds, "peak_bytes": peak, "sums": job.sums(result)}


def _reset_peak() -> int | None:
    """Make the present memory the peak and return it; None where the system does not tell."""
    if not _MEMORY_STATUS.exists():
        return None
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> int:
    for line in _MEMORY_STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{_MEMORY_STATUS} has no {field}")


def _give_memory_back() -> None:
    """Return freed memory to the system, so that what a job uses is not hidden in it."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):  # another C library
            return


if __name__ == "__main__":
    main()
