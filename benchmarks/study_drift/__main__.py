"""The command: ``python -m benchmarks.study_drift``."""

from __future__ import annotations

import argparse
import sys

from benchmarks.study_drift._study import study


def main() -> None:
    """Run the study and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study_drift")
    parser.add_argument("--draws", type=int, default=200, help="pairs of tables of each kind; 200")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn; 0")
    arguments = parser.parse_args()
    sys.stdout.write(study(arguments.draws, arguments.seed))


if __name__ == "__main__":
    main()
