"""The command: ``python -m benchmarks.study_number_of_clusters``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.study_number_of_clusters._study import study_clouds, study_planted


def main() -> None:
    """Run the study and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study_number_of_clusters")
    parser.add_argument("--draws", type=int, default=100, help="tables of each cloud; 100")
    parser.add_argument(
        "--planted-draws",
        type=int,
        default=3,
        help="tables of each planted family, separation and number of segments; 3",
    )
    parser.add_argument("--only", choices=["clouds", "planted"], help="one half of the study")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn; 0")
    parser.add_argument("--output", type=Path, help="a file to write the tables to, too")
    arguments = parser.parse_args()
    parts = []
    if arguments.only != "planted":
        parts += study_clouds(arguments.draws, arguments.seed)
    if arguments.only != "clouds":
        parts += study_planted(arguments.planted_draws, arguments.seed)
    text = "\n\n".join(parts) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
