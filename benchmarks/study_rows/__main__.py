"""The command: ``python -m benchmarks.study_rows``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.study_rows._engines import ENGINES
from benchmarks.study_rows._study import study


def main() -> None:
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study_rows")
    parser.add_argument(
        "--rows",
        type=int,
        action="append",
        help="rows of the log; may be repeated; 1_000_000, 10_000_000 and 100_000_000",
    )
    parser.add_argument(
        "--only", action="append", choices=list(ENGINES), help="one engine; may be repeated"
    )
    parser.add_argument("--folder", type=Path, help="where the logs are written, and deleted again")
    parser.add_argument("--output", type=Path, help="a file to write the table to, too")
    arguments = parser.parse_args()
    sizes = arguments.rows or [10**6, 10**7, 10**8]
    text, is_right = study(sizes, arguments.only or list(ENGINES), arguments.folder)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.exit(not is_right)


if __name__ == "__main__":
    main()
