"""A private PostgreSQL server on a free port of the loopback address, gone afterwards.

    with PostgresServer() as server:
        server.create_database("warehouse")
        connect(server.uri("warehouse"))

From a shell, tests/support/with-postgres COMMAND runs COMMAND with PGHOST, PGPORT, PGUSER,
PGPASSWORD and PGDATABASE set, and with MELTSHIM_TEST_POSTGRES, the server's URI.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from support.servers import free_port, stop, wait_until

USER = "meltshim"
PASSWORD = "loopback-only"


def _programs() -> Path:
    """The newest of Debian's PostgreSQL installations, or the one on the PATH."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    if not found:
        raise FileNotFoundError("no PostgreSQL server here: run tests/support/install-debian test")
    return Path(found).parent


class PostgresServer:
    """PostgreSQL refuses to run as root, so root lends it the account that Debian made for it."""

    def __init__(self, settings: dict[str, str] | None = None):
        self.host = "127.0.0.1"
        self.port = free_port()
        self.settings = settings or {}
        self.process: subprocess.Popen | None = None
        self._account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self._dir = Path(tempfile.mkdtemp(prefix="meltshim-pg-"))
        self.log = self._dir / "server.log"

    def _identity(self) -> dict:
        if not self._account:
            return {}
        return {
            "user": self._account.pw_uid,
            "group": self._account.pw_gid,
            "extra_groups": os.getgrouplist("postgres", self._account.pw_gid),
        }

    def _init(self) -> None:
        if self._account:
            os.chown(self._dir, self._account.pw_uid, self._account.pw_gid)
        password_file = self._dir / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        subprocess.run(
            [_programs() / "initdb", "--pgdata", self._dir / "data", "--username", USER]
            + ["--auth=scram-sha-256", f"--pwfile={password_file}"]
            + ["--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._dir,
            **self._identity(),
        )

    def command(self) -> list[str]:
        options = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            **self.settings,
        }
        command = [_programs() / "postgres", "-D", self._dir / "data"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return [str(word) for word in command]

    def start(self) -> "PostgresServer":
        if not (self._dir / "data").exists():
            self._init()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._dir,
                start_new_session=True,
                **self._identity(),
            )
        wait_until(self._is_ready, f"PostgreSQL on port {self.port} (log: {self.log})")
        return self

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()}")
        ready = [_programs() / "pg_isready", "--quiet", "--host", self.host]
        return subprocess.run(ready + ["--port", str(self.port)]).returncode == 0

    def stop(self) -> None:
        """SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing is lost."""
        if self.process:
            stop(self.process, signal.SIGINT)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._dir, ignore_errors=True)

    def environment(self, database: str = "postgres") -> dict[str, str]:
        """libpq's variables for this server."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": database,
        }

    def uri(self, database: str = "postgres", scheme: str = "postgresql") -> str:
        return f"{scheme}://{USER}:{PASSWORD}@{self.host}:{self.port}/{database}"

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Runs statements with psql and returns what they print, unaligned and without headers."""
        done = subprocess.run(
            [_programs() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=sql,
            env={**os.environ, **self.environment(database)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def create_database(self, name: str) -> str:
        self.psql(f'CREATE DATABASE "{name}"')
        return self.uri(name)

    def __enter__(self) -> "PostgresServer":
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()


def main() -> int:
    if len(sys.argv) < 2:
        print("usage: with-postgres COMMAND [ARGUMENT...]", file=sys.stderr)
        return 2
    with PostgresServer() as server:
        uri = {"MELTSHIM_TEST_POSTGRES": server.uri()}
        return subprocess.call(sys.argv[1:], env={**os.environ, **server.environment(), **uri})


if __name__ == "__main__":
    sys.exit(main())
