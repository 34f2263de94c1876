"""Run the contestants of a case in turns, each in a process of its own."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._case import Case, Contestant
from ._peers import PeerUnavailableError, python_of

#: Cores kept busy by other processes from which on a run counts as disturbed.
DISTURBED = 0.2

_CHECKOUT = Path(__file__).parent.parent


@dataclass
class Measurement:
    """What one contestant did.

    `peak_bytes` is the most memory that the first run, in a fresh process, used above what was
    there when it began (the log included); that run is not among the `seconds`. `cores_of_others`
    is how many cores other processes kept busy during each run. `failure` says why there are no
    seconds.
    """

    seconds: list[float] = field(default_factory=list)
    cores_of_others: list[float | None] = field(default_factory=list)
    peak_bytes: int | None = None
    sums: dict[str, float] = field(default_factory=dict)
    failure: str | None = None

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return statistics.median(self.seconds)


class WorkerError(Exception):
    """A worker ended without an answer; the message is its last line of errors."""


def measure(
    case: Case, files: Mapping[str, Path], repeats: int, retries: int
) -> dict[str, Measurement]:
    """Return the measurement of each contestant of a case, by name.

    Every worker loads its data and runs once before the rounds begin. In each round every
    contestant runs once, one after the other, so that what slows the machine slows all of them.
    A run that other processes disturbed is done again up to `retries` times; the least disturbed
    one counts.
    """
    measured = {contestant.name: Measurement() for contestant in case.contestants}
    workers: dict[str, Worker] = {}
    try:
        for contestant in case.contestants:
            one = measured[contestant.name]
            print(f"  {contestant.name}: starting", file=sys.stderr, flush=True)
            try:
                workers[contestant.name] = Worker(contestant, files)
                workers[contestant.name].wait_for_data()
                first = workers[contestant.name].run()
                one.peak_bytes = first["peak_bytes"]
                one.sums = first["sums"] if contestant.compared else {}
            except (PeerUnavailableError, WorkerError) as error:
                one.failure = str(error)
        rounds = max(repeats, case.least_rounds)
        _take_turns(case.contestants, workers, measured, rounds, retries)
    finally:
        for worker in workers.values():
            worker.stop()
    return measured


def _take_turns(
    contestants: Sequence[Contestant],
    workers: "Mapping[str, Worker]",
    measured: Mapping[str, Measurement],
    rounds: int,
    retries: int,
) -> None:
    for turn in range(rounds):
        print(f"  round {turn + 1} of {rounds}:", end="", file=sys.stderr, flush=True)
        for contestant in contestants:
            one = measured[contestant.name]
            if one.failure or turn >= (contestant.most_repeats or rounds):
                continue
            try:
                run = _least_disturbed(workers[contestant.name], retries)
                one.seconds.append(run["seconds"])
                one.cores_of_others.append(run["cores_of_others"])
                print(f" {one.seconds[-1]:.3g}", end="", file=sys.stderr, flush=True)
            except WorkerError as error:
                one.failure = str(error)
        print(file=sys.stderr)


def _least_disturbed(worker: "Worker", retries: int) -> dict[str, Any]:
    runs = [worker.run()]
    while len(runs) <= retries and (runs[-1]["cores_of_others"] or 0.0) > DISTURBED:
        runs.append(worker.run())
    return min(runs, key=lambda run: run["cores_of_others"] or 0.0)


class Worker:
    """The process of a contestant (see ``_worker.py``), asked over pipes."""

    def __init__(self, contestant: Contestant, files: Mapping[str, Path]) -> None:
        paths = {role: str(files[name]) for role, name in contestant.data.items()}
        module, function = contestant.job.split(".")
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                *(python_of(contestant.environment), "-m", f"{__package__}._worker"),
                *(module, function, json.dumps({**paths, **contestant.options})),
            ],
            cwd=_CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait_for_data(self) -> None:
        """Wait for the data to be loaded."""
        self._answer()

    def run(self) -> dict[str, Any]:
        """Run the job once; return seconds, peak_bytes and sums."""
        with suppress(BrokenPipeError):  # the answer will tell
            self._process.stdin.write("run\n")
            self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        code = self._process.wait()
        self._errors.seek(0)
        said = [text.strip() for text in self._errors if text.strip()]
        raise WorkerError(said[-1] if said and code == 1 else f"ended with exit code {code}")
