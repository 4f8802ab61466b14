"""A worker: runs Python functions for a node, one process for each slot.

    python -m bary.worker --address 127.0.0.1:9876 --slots 4
"""

import argparse
import contextlib
import importlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import grpc

from bary import task as task_module
from bary.connection import channel, metadata, named
from bary.payload import FUNCTION, pack, pack_error, unpack
from bary.v1 import node_pb2, node_pb2_grpc

_FAILURES_MAX = 5
"""How many processes in a row may end before the node has taken them in."""
_RESULT_BYTES_MAX = 60 << 20
"""Most bytes of what a task gives."""


class _Task:
    """The task that runs, as functions see it through `bary.task`."""

    def __init__(self, run, position, told, send):
        self.job, self.number, self.attempt = told.job, told.number, told.attempt
        self.env = dict(told.env)
        self.stopped = False
        self._run, self._position, self._told, self._send = run, position, told, send

    def progress(self, share, message):
        said = node_pb2.Progress(run=self._run, task=self._position, progress=share, message=message)
        self._send(node_pb2.FromWorker(progress=said))

    def checkpoint(self, step, value):
        kept = node_pb2.Checkpoint(run=self._run, task=self._position, step=step, data=pack(value))
        self._send(node_pb2.FromWorker(checkpoint=kept))

    def kept(self):
        if not self._told.checkpoint:
            return None
        return self._told.checkpoint_step, unpack(self._told.checkpoint)


class Slot:
    """One stream to the node, and the functions that it runs, one at a time."""

    def __init__(self, functions, name="", ready=None):
        self._functions, self._ready = functions, ready
        self._out = queue.SimpleQueue()
        self._in = queue.SimpleQueue()
        self._runs = {}
        # Whatever else is said, even that it leaves, comes behind this.
        hello = node_pb2.Register(name=name, functions=sorted(functions), slots=1)
        self._out.put(node_pb2.FromWorker(register=hello))

    def serve(self, address, token):
        """Runs what the node says until the stream ends; tells whether the node ended it well."""
        stub = node_pb2_grpc.WorkerStub(channel(address))
        replies = stub.Work(iter(self._out.get, None), metadata=metadata(token))
        reader = threading.Thread(target=self._read, args=(replies,), daemon=True)
        reader.start()
        while (run := self._in.get()) is not None:
            if isinstance(run, grpc.RpcError):
                print(f"bary.worker: {run.code().name}: {run.details()}", file=sys.stderr)
                return False
            self._run(run)
        return True

    def leave(self):
        """Takes no more tasks; what runs is finished first."""
        self._out.put(node_pb2.FromWorker(leave=node_pb2.Leave()))

    def _read(self, replies):
        try:
            for message in replies:
                what = message.WhichOneof("what")
                if what == "run":
                    self._in.put(message.run)
                elif what == "registered" and self._ready is not None:
                    os.write(self._ready, b"1")
                    os.close(self._ready)
                elif what == "stop":
                    self._stop(message.stop)
            self._in.put(None)
        except grpc.RpcError as error:
            gone = error.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
            self._in.put(None if gone else error)

    def _stop(self, stop):
        running = task_module.current()
        if running is not None and running._run == stop.run:
            running.stopped = True
            if stop.force:
                # Nothing else ends a function that does not want to; the slot begins anew.
                os._exit(75)
        self._runs[stop.run] = True

    def _run(self, run):
        ended = []
        for position, told in enumerate(run.tasks):
            if self._runs.pop(run.run, False):
                break
            task = _Task(run.run, position, told, self._out.put)
            ended.append(self._call(run.function, task, told.input))
        self._runs.pop(run.run, None)
        over = node_pb2.RunEnded(run=run.run, tasks=ended)
        self._out.put(node_pb2.FromWorker(ended=node_pb2.RunsEnded(runs=[over])))

    def _call(self, function, task, data):
        task_module._set(task)
        began, used = time.perf_counter(), time.process_time()
        ended = node_pb2.TaskEnded()
        try:
            result = self._functions[function](data)
            if len(result) > _RESULT_BYTES_MAX:
                raise ValueError(f"a result has at most {_RESULT_BYTES_MAX} bytes, not {len(result)}")
            ended.result = result
        except BaseException as error:  # noqa: BLE001 - a task may fail in any way
            ended.result = pack_error(error)
            ended.error = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        finally:
            task_module._set(None)
        ended.run_seconds = time.perf_counter() - began
        ended.cpu_seconds = time.process_time() - used
        return ended


def call(data):
    """Runs a call that an executor has packed."""
    function, args, kwargs = unpack(data)
    return pack(function(*args, **kwargs))


class _Child:
    """The process of one slot."""

    def __init__(self, arguments):
        # It says here that the node has taken it in; what ends before that would end so again.
        self._ready, ready = os.pipe()
        os.set_inheritable(ready, True)
        command = [sys.executable, "-m", "bary.worker", "--one", "--ready", str(ready), *arguments]
        self.process = subprocess.Popen(command, pass_fds=[ready], stdin=subprocess.DEVNULL)
        os.close(ready)

    def end(self):
        """Asks it to end. It may have ended; who reaps it sees that."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGTERM)

    def close(self):
        """Tells whether the node had taken it in."""
        with os.fdopen(self._ready, "rb") as ready:
            return bool(ready.read())


class _Supervisor:
    """Keeps one process for each slot until it is asked to end."""

    def __init__(self, arguments, slots):
        self._arguments, self._slots = arguments, slots
        self._children = {}
        self._asked = False

    def end(self, *_):
        """Has each process finish what it runs, and end."""
        self._asked = True
        for child in list(self._children.values()):
            child.end()

    def run(self):
        """Returns the exit code when all have ended."""
        failures = 0
        for _ in range(self._slots):
            self._start()
        while self._children:
            pid, status = os.wait()
            child = self._children.pop(pid, None)
            if child is None:
                continue
            child.process.returncode = os.waitstatus_to_exitcode(status)
            failures = 0 if child.close() else failures + 1
            if self._asked or child.process.returncode == 0:
                continue
            if failures >= _FAILURES_MAX:
                print("bary.worker: its processes end before they have begun", file=sys.stderr)
                self.end()
                return 1
            self._start()
        return 0

    def _start(self):
        child = _Child(self._arguments)
        self._children[child.process.pid] = child
        if self._asked:
            child.end()


def _signal_at_end_of_input():
    # Not through sys.stdin, whose lock would be held when the interpreter ends.
    while os.read(0, 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _functions(imports):
    """The functions of the modules that are named: those in their `functions` table."""
    found = {FUNCTION: call}
    for module in imports:
        found.update(importlib.import_module(module).functions)
    return found


def main():
    """Reads the command line and runs until the node or a signal ends it."""
    address, token = named()
    flags = argparse.ArgumentParser(prog="python -m bary.worker", description=__doc__)
    flags.add_argument("--address", default=address, help="HOST:PORT or unix:PATH of the node")
    flags.add_argument("--slots", type=int, default=os.cpu_count(), help="tasks at a time")
    flags.add_argument("--name", default="", help="name of this worker")
    flags.add_argument("--import", dest="imports", action="append", default=[], metavar="MODULE",
                       help="offer the functions in the table `functions` of a module too")
    flags.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    flags.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    flags.add_argument("--ready", type=int, help=argparse.SUPPRESS)
    given = flags.parse_args()
    if not given.address:
        flags.error("name the node: --address HOST:PORT, or BARY_ADDR")
    if given.slots < 1:
        flags.error("--slots must be at least 1")
    if not given.one:
        passed = ["--address", given.address, "--name", given.name]
        passed += [word for module in given.imports for word in ("--import", module)]
        supervisor = _Supervisor(passed, given.slots)
        signal.signal(signal.SIGTERM, supervisor.end)
        signal.signal(signal.SIGINT, signal.SIG_IGN if given.until_eof else supervisor.end)
        if given.until_eof:
            # A signal, so that nothing is done while children are started or reaped.
            threading.Thread(target=_signal_at_end_of_input, daemon=True).start()
        return supervisor.run()
    slot = Slot(_functions(given.imports), given.name, given.ready)
    signal.signal(signal.SIGTERM, lambda *_: slot.leave())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0 if slot.serve(given.address, token) else 1


if __name__ == "__main__":
    sys.exit(main())
