"""Servers and workers as processes of their own, which end with the script."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

SKIPPED = 77
"""The exit code that says that there is nothing to measure."""


def need(program):
    """The path of a program; without it the script ends, skipped."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not found:
        skip(f"there is no {program}")
    return found


def skip(why):
    print(why, file=sys.stderr)
    sys.exit(SKIPPED)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(words, **more):
    """Runs a process with all that it starts, and ends them."""
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **more,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(port, seconds=30):
    """Waits until somebody listens on a port."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
