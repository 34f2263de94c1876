"""A Postgres server for the tests, where Postgres is installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


class Postgres:
    """A server of its own, which listens on a socket in a folder and nowhere else."""

    def __init__(self, programs: Path, folder: Path, account: str | None) -> None:
        self._programs, self._folder, self._account = programs, folder, account
        self._run("initdb", "-D", folder / "data", "-U", "tests", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        self._server("start", "-o", options, "-l", folder / "log")

    def stop(self) -> None:
        self._server("stop", "-m", "immediate")

    def sql(self, statement: str, given: bytes = b"") -> str:
        """Return what a statement gives as CSV, with a file of data for COPY FROM STDIN."""
        arguments = ["-h", self._folder, "-U", "tests", "-d", "postgres", "-X", "-q", "--csv"]
        return self._run("psql", *arguments, "-v", "ON_ERROR_STOP=1", "-c", statement, given=given)

    def _server(self, verb: str, *arguments) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-s", *arguments, verb)

    def _run(self, program: str, *arguments, given: bytes = b"") -> str:
        command = [str(part) for part in (self._programs / program, *arguments)]
        # Files, not pipes, which the server would hold open.
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as source:
            source.write(given)
            source.seek(0)
            ended = subprocess.run(
                command,
                stdin=source,
                stdout=told,
                stderr=told,
                user=self._account,
                cwd=self._folder,  # which this account may enter, and of which it says nothing
                timeout=120,
            )
            told.seek(0)
            said = told.read().decode()
        assert ended.returncode == 0, said
        return said


@pytest.fixture(scope="session")
def postgres():
    """A running server; tests are skipped where there is no Postgres to start."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [shutil.which("initdb")]
    if found[-1] is None:
        pytest.skip("Postgres is not installed")
    account = None
    if os.geteuid() == 0:  # as whom Postgres refuses to run
        try:
            account = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("there is no account to run Postgres with")
    # A short path, because that of a socket must not be long.
    with tempfile.TemporaryDirectory(prefix="segkit") as folder:
        if account:
            shutil.chown(folder, account)
        server = Postgres(Path(found[-1]).parent, Path(folder), account)
        try:
            yield server
        finally:
            server.stop()
