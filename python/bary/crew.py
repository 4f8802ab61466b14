"""Worker processes on this machine, for an executor."""

import os
import subprocess
import sys
import threading


class Crew:
    """Worker processes that end with this one."""

    def __init__(self, address, token, count, name):
        path = os.pathsep.join(path or os.getcwd() for path in sys.path)
        environment = {**os.environ, "PYTHONPATH": path}
        if token:
            environment["BARY_TOKEN"] = token
        command = [sys.executable, "-m", "bary.worker", "--until-eof", "--address", address]
        command += ["--slots", str(count), "--name", f"{name}-{os.getpid()}"]
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        self._closing = False

    def watch(self, on_end):
        """Has it told, once, where all processes end though nobody asked them to."""
        def wait():
            status = self._process.wait()
            if not self._closing:
                on_end(f"the workers have ended (exit code {status})")

        threading.Thread(target=wait, name="bary-crew", daemon=True).start()

    def close(self):
        """Lets each finish what it runs, and waits for that."""
        self._closing = True
        self._process.stdin.close()
        self._process.wait()
