"""A PostgreSQL for the tests: the one that STREET_TEST_POSTGRES names, or a throw-away cluster of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import ServerProcess, free_port

ENV = "STREET_TEST_POSTGRES"
NO_POSTGRES = f"no PostgreSQL: set {ENV}=postgresql://user@host/database or install the package postgresql"


def binaries() -> Path | None:
    """Folder with initdb and postgres; Debian keeps them off PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if (one / "postgres").exists()), None)


@contextmanager
def cluster(bin_folder: Path) -> Iterator[str]:
    """Run a new, empty cluster on a free loopback port; yields the URL of its database."""
    # postgres refuses to run as root
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="street-pg-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, "postgres", "postgres")
        subprocess.run(
            [bin_folder / "initdb", "-D", folder / "data", "-A", "trust", "-U", "street", "-E", "UTF8",
             "--no-sync"],
            check=True, capture_output=True, cwd="/", **user,
        )  # fmt: skip
        port = free_port()
        server = ServerProcess(folder / "postgres.log")
        try:
            server.start(
                [bin_folder / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder,
                 "-c", "listen_addresses=127.0.0.1", "-c", "timezone=Asia/Shanghai", "-c", "fsync=off"],
                lambda: _is_ready(bin_folder, port), user=user, cwd=Path("/"),
            )  # fmt: skip
            yield f"postgresql://street@127.0.0.1:{port}/postgres"
        finally:
            server.end()


def _is_ready(bin_folder: Path, port: int) -> bool:
    asked = [bin_folder / "pg_isready", "-q", "-t", "1", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(asked, check=False).returncode == 0
