"""Virtual environments for the packages that need others than segkit's own.

Each is made by ``python -m venv`` and ``pip install`` the first time that it is needed and kept in
``benchmarks/.peers``; delete a folder there to have it made again.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

#: What is installed into the environment of each peer: its newest release that pip finds.
PEERS = {
    "openretailscience": ("openretailscience", "pyarrow"),
    "lifetimes": ("lifetimes", "pyarrow"),
    "pymc-marketing": ("pymc-marketing", "pyarrow"),
    "kmodes": ("kmodes", "pandas", "pyarrow"),
    "yellowbrick": ("yellowbrick",),
}
_FOLDER = Path(__file__).parent / ".peers"
_REPORTED = (
    *("numpy", "pandas", "polars", "duckdb", "pyarrow", "scikit-learn", "narwhals"),
    *("customer-segkit", "openretailscience", "ibis-framework", "lifetimes", "pymc-marketing"),
    *("kmodes", "yellowbrick", "matplotlib"),
)
_VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
found = ["Python " + sys.version.split()[0]]
for package in sys.argv[1:]:
    try:
        found.append(package + " " + version(package))
    except PackageNotFoundError:
        pass
print(", ".join(found))
"""


class PeerUnavailableError(Exception):
    """A peer could not be installed; the message says why."""


def python_of(environment: str | None) -> str:
    """Return the interpreter of a peer's environment, made if need be; None is this one."""
    if environment is None:
        return sys.executable
    folder = _FOLDER / environment
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    wanted = "\n".join([platform.python_version(), *PEERS[environment]])
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        _install(folder, python, PEERS[environment])
        installed.write_text(wanted)
    return str(python)


def versions_of(environment: str | None) -> str:
    """Return the versions of what matters in an environment, or why there is none."""
    try:
        command = [python_of(environment), "-c", _VERSIONS, *_REPORTED]
    except PeerUnavailableError as error:
        return str(error)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _install(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    print(f"Installing {requirements[0]} into {folder} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", *requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            reason = errors[-1] if errors else f"exit code {done.returncode}"
            raise PeerUnavailableError(f"{requirements[0]} could not be installed: {reason}")
