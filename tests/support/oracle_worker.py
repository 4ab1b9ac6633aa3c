"""Runs Meltano commands, each in a process forked after Meltano was imported, which saves most of
the second that a start costs. Run by the interpreter of the environment `meltano`.

Standard input: a JSON object per line with argv, cwd, env, stdout and stderr (paths). Standard
output: the command's exit status, a line each.
"""

import atexit
import json
import os
import signal
import sys

import meltano.cli
import meltano.core.logging.output_logger  # noqa: F401
import meltano.core.plugin.singer  # noqa: F401
import meltano.core.runner.singer  # noqa: F401

TIMEOUT_S = 300


def redirect(path: str, descriptor: int) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def run_command(request: dict) -> int:
    """In the child: becomes what `meltano ARGV...` would be."""
    signal.alarm(TIMEOUT_S)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    redirect(request["stdout"], 1)
    redirect(request["stderr"], 2)
    sys.argv = ["meltano", *request["argv"]]
    try:
        meltano.cli.main()
        return 0
    except SystemExit as exit:
        if exit.code is None or isinstance(exit.code, int):
            return exit.code or 0
        print(exit.code, file=sys.stderr)
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = run_command(json.loads(line))
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, wait_status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(wait_status), flush=True)


if __name__ == "__main__":
    main()
