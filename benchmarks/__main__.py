"""Measure segkit beside its peers and print the times, the ratios and what must be reached."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import _report
from ._case import Case
from ._cases import all_cases, write_data
from ._measure import measure
from ._peers import versions_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 1 where a result is wrong or segkit failed."""
    options = _parser().parse_args(arguments)
    cases = _chosen(all_cases(options.rows), options.only, options.without)
    if options.list:
        for case in cases:
            print(f"{case.name:22}{case.title}")
        return 0
    command = shlex.join(["python", "-m", "benchmarks", *(arguments or sys.argv[1:])])
    environments = {one.environment for case in cases for one in case.contestants}
    versions = {one or "segkit": versions_of(one) for one in sorted(environments, key=str)}
    head = _report.header(command, options.rows, versions)
    print(head, flush=True)
    done, sections = [], []
    with tempfile.TemporaryDirectory(prefix="segkit-benchmarks-") as folder:
        for case in cases:
            print(f"{case.name}", file=sys.stderr, flush=True)
            files = _written(case, Path(folder), options.rows)
            results = measure(case, files, options.repeats, options.retries)
            done.append((case, results))
            sections.append(_report.section(case, results))
            print(sections[-1], flush=True)
            if options.output:
                options.output.write_text("\n".join([head, _report.summary(done), *sections]))
    print(_report.summary(done))
    return int(any(_is_wrong(case, results) for case, results in done))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of a log or table")
    parser.add_argument("--repeats", type=int, default=5, help="rounds in which each runs once")
    parser.add_argument(
        "--retries", type=int, default=0, help="how often to repeat a run that others disturbed"
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="a case; repeatable")
    parser.add_argument(
        "--without", action="append", default=[], metavar="NAME", help="no such contestant"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="also write the tables here")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    return parser


def _chosen(
    cases: Sequence[Case], only: Sequence[str] | None, without: Sequence[str]
) -> list[Case]:
    known = [case.name for case in cases]
    for name in only or ():
        if name not in known:
            raise SystemExit(f"no case {name!r}; there are {', '.join(known)}")
    return [_leave_out(case, without) for case in cases if only is None or case.name in only]


def _leave_out(case: Case, names: Sequence[str]) -> Case:
    """Return a case without some contestants, and the targets that need them; the notes say so."""
    left_out = [contestant.name for contestant in case.contestants if contestant.name in names]
    if not left_out:
        return case
    if case.contestants[0].name in left_out:
        raise SystemExit(f"the others of {case.name} are held to {left_out[0]!r}: it must stay")
    return replace(
        case,
        contestants=[one for one in case.contestants if one.name not in names],
        targets=[one for one in case.targets if not set(one.needs) & set(names)],
        notes=[*case.notes, f"Left out by --without: {', '.join(left_out)}."],
    )


def _written(case: Case, folder: Path, n_rows: int) -> dict[str, Path]:
    """Return the files of a case's data, written where they are not there from another case."""
    names = {name for contestant in case.contestants for name in contestant.data.values()}
    files = {name: folder / f"{name}.parquet" for name in sorted(names)}
    for name, path in files.items():
        if not path.exists():
            print(f"  writing {name}", file=sys.stderr, flush=True)
            write_data(name, path, n_rows)
    return files


def _is_wrong(case: Case, results: dict) -> bool:
    ours = results[case.contestants[0].name]
    others = [one for one in results.values() if one is not ours]
    return bool(ours.failure) or any(_report.differing_sums(case, ours, one) for one in others)


if __name__ == "__main__":
    sys.exit(main())
