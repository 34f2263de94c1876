"""The command: ``python -m benchmarks.study_validation``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.study_validation._study import study_planted, study_without


def main() -> None:
    """Run the study and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study_validation")
    parser.add_argument("--draws", type=int, default=40, help="tables of each kind without; 40")
    parser.add_argument(
        "--planted-draws", type=int, default=2, help="tables of each family and number; 2"
    )
    parser.add_argument("--bootstraps", type=int, default=30, help="resamples of each; 30")
    parser.add_argument("--only", choices=["without", "planted"], help="one half of the study")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn; 0")
    parser.add_argument("--output", type=Path, help="a file to write the tables to, too")
    arguments = parser.parse_args()
    parts = []
    if arguments.only != "planted":
        parts += study_without(arguments.draws, arguments.seed, arguments.bootstraps)
    if arguments.only != "without":
        parts += study_planted(arguments.planted_draws, arguments.seed, arguments.bootstraps)
    text = "\n\n".join(parts) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
