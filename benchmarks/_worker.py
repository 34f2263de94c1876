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
import mmap
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any, TextIO

from ._job import Job

_MEMORY_STATUS = Path("/proc/self/status")
_PROCESSOR_TIMES = Path("/proc/stat")
_SHORT = 0.1


def main() -> None:
    """Prepare the job, then run it once for every line read."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    module, function, arguments = sys.argv[1:]
    prepare = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    job = prepare(**json.loads(arguments))
    _give_memory_back()
    _answer(answers, {"ready": True})
    peak = 0
    for _ in sys.stdin:
        _fetch_memory(peak)
        run = _measured(job)
        peak = peak or run["peak_bytes"] or 0
        _answer(answers, run)


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _measured(job: Job) -> dict[str, Any]:
    gc.collect()
    before = _reset_peak()
    others = _seconds_of_others()
    start = time.perf_counter()
    for _ in range(job.loops - 1):
        job.run()
    result = job.run()
    seconds = time.perf_counter() - start
    if others is not None:
        others = max(_seconds_of_others() - others, 0.0) / seconds
    if seconds < _SHORT:  # the clock of the processors ticks too slowly for it
        others = None
    peak = None if before is None else _memory("VmHWM") - before
    return {
        "seconds": seconds / job.loops,
        "cores_of_others": others,
        "peak_bytes": peak,
        "sums": job.sums(result),
    }


def _seconds_of_others() -> float | None:
    """Return how long the processors have worked, less what they did for this process.

    Time that the host of a virtual machine took away counts as work for others.
    """
    if not _PROCESSOR_TIMES.exists():
        return None
    user, nice, system, _, _, irq, soft_irq, stolen, *_ = map(
        int, _PROCESSOR_TIMES.read_text().splitlines()[0].split()[1:]
    )
    ticks = user + nice + system + irq + soft_irq + stolen
    return ticks / os.sysconf("SC_CLK_TCK") - time.process_time()


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


def _fetch_memory(size: int) -> None:
    """Touch as much memory as a run needs, and a quarter more, and free it.

    A virtual machine may hand freed memory back to its host within seconds, while others have
    their turn. Getting it again can take longer than the run itself, and depends on how long the
    others took, not on the contestant.
    """
    if size <= 0 or not hasattr(mmap, "MADV_HUGEPAGE"):
        return
    size += size // 4
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for place in range(0, size, mmap.PAGESIZE):
            memory[place] = 1


if __name__ == "__main__":
    main()
