"""A worker: runs Python functions for a node, one process for each slot.

    python -m bary.worker --address 127.0.0.1:9876 --slots 4
"""

import argparse
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
_LOOK_SECONDS = 0.5
"""How often to look whether the stream has ended while a message waits to be sent."""
_RESULT_BYTES_MAX = 60 << 20
"""Most bytes of what a task gives."""
_RANK_NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What a rank of a gang finds in its environment."""


class _Outgoing:
    """What is said to the node, in order."""

    def __init__(self):
        self._queue = queue.SimpleQueue()
        self._closed = threading.Event()

    def __iter__(self):
        while True:
            message, sent = self._queue.get()
            yield message
            # Whoever asks for the next one has sent this one.
            if sent is not None:
                sent.set()

    def put(self, message):
        """Says something, some time soon."""
        self._queue.put((message, None))

    def send(self, message):
        """Says something that is on its way when this returns, unless the stream has ended."""
        sent = threading.Event()
        self._queue.put((message, sent))
        while not sent.wait(_LOOK_SECONDS) and not self._closed.is_set():
            pass

    def close(self):
        """The stream has ended."""
        self._closed.set()


class _Task:
    """The task that runs, as functions see it through `bary.task`."""

    def __init__(self, run, position, told, out):
        self.job, self.number, self.attempt = told.job, told.number, told.attempt
        self.env = dict(told.env)
        self.stopped = False
        self._run, self._position, self._told, self._out = run, position, told, out

    def progress(self, share, message):
        said = node_pb2.Progress(run=self._run, task=self._position, progress=share, message=message)
        self._out.put(node_pb2.FromWorker(progress=said))

    def checkpoint(self, step, value):
        kept = node_pb2.Checkpoint(run=self._run, task=self._position, step=step, data=pack(value))
        # The function may end its process next, and should be found here all the same.
        self._out.send(node_pb2.FromWorker(checkpoint=kept))

    def kept(self):
        if not self._told.checkpoint:
            return None
        return self._told.checkpoint_step, unpack(self._told.checkpoint)


class Slot:
    """One stream to the node, and the functions that it runs, one at a time."""

    def __init__(self, functions, name="", ready=None):
        self._functions, self._ready = functions, ready
        self._out = _Outgoing()
        self._in = queue.SimpleQueue()
        self._runs = {}
        # Whatever else is said, even that it leaves, comes behind this.
        hello = node_pb2.Register(name=name, functions=sorted(functions), slots=1)
        self._out.put(node_pb2.FromWorker(register=hello))

    def serve(self, address, token):
        """Runs what the node says until the stream ends; tells whether the node ended it well."""
        stub = node_pb2_grpc.WorkerStub(channel(address))
        replies = stub.Work(iter(self._out), metadata=metadata(token))
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
        finally:
            self._out.close()

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
            task = _Task(run.run, position, told, self._out)
            ended.append(self._call(run.function, task, told.input))
        self._runs.pop(run.run, None)
        over = node_pb2.RunEnded(run=run.run, tasks=ended)
        self._out.put(node_pb2.FromWorker(ended=node_pb2.RunsEnded(runs=[over])))

    def _call(self, function, task, data):
        task_module._set(task)
        rank = {name: task.env[name] for name in _RANK_NAMES if name in task.env}
        before = {name: os.environ.get(name) for name in rank}
        os.environ.update(rank)
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
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        ended.run_seconds = time.perf_counter() - began
        ended.cpu_seconds = time.process_time() - used
        return ended


def call(data):
    """Runs a call that an executor has packed."""
    function, args, kwargs = unpack(data)
    return pack(function(*args, **kwargs))


class _Child:
    """The process of one slot. It ends, in an orderly way, when its leash does."""

    def __init__(self, arguments):
        # It says here that the node has taken it in; what ends before that would end so again.
        ready, says = os.pipe()
        ends, leash = os.pipe()
        self._ready, self._leash = os.fdopen(ready, "rb"), os.fdopen(leash, "wb")
        command = [sys.executable, "-m", "bary.worker", *arguments]
        command += ["--one", f"{says},{ends}"]
        try:
            self.process = subprocess.Popen(command, pass_fds=[says, ends], stdin=subprocess.DEVNULL)
        finally:
            os.close(says)
            os.close(ends)

    def end(self):
        """Asks it to end."""
        self._leash.close()

    def close(self):
        """Forgets it; tells whether the node had taken it in."""
        self._leash.close()
        with self._ready as ready:
            return bool(ready.read())


class _Supervisor:
    """Keeps one process for each slot until it is asked to end."""

    def __init__(self, arguments, slots):
        self._arguments, self._slots = arguments, slots
        self._children = {}
        self._asked = False

    def end(self):
        """Has each process finish what it runs, and end. Any thread may say so."""
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


_SIGNALS = {signal.SIGTERM, signal.SIGINT}
"""What ends a worker."""


def _supervise(supervisor, until_eof):
    # A thread waits for signals: one that came just before the other waits would be missed there.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def wait_for_signal():
        wanted = {signal.SIGTERM} if until_eof else _SIGNALS
        signal.sigwait(wanted)
        supervisor.end()

    def wait_for_input():
        _until_eof(0)
        supervisor.end()

    for wait in [wait_for_signal, *[wait_for_input] * until_eof]:
        threading.Thread(target=wait, daemon=True).start()
    return supervisor.run()


def _until_eof(file):
    # Not through a file object, whose lock would be held when the interpreter ends.
    while os.read(file, 4_096):
        pass


def _serve_one(functions, given, address, token):
    """Runs one slot, at the end of the leash that the supervisor holds."""
    ready, leash = map(int, given.one.split(","))
    for file in (ready, leash):
        os.set_inheritable(file, False)
    # A terminal's interrupt is meant for the supervisor, who has the slot finish what it runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    slot = Slot(functions, given.name, ready)

    def wait():
        _until_eof(leash)
        slot.leave()

    threading.Thread(target=wait, daemon=True).start()
    return 0 if slot.serve(address, token) else 1


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
    flags.add_argument("--one", help=argparse.SUPPRESS)
    given = flags.parse_args()
    if not given.address:
        flags.error("name the node: --address HOST:PORT, or BARY_ADDR")
    if given.slots < 1:
        flags.error("--slots must be at least 1")
    if given.one:
        return _serve_one(_functions(given.imports), given, given.address, token)
    passed = ["--address", given.address, "--name", given.name]
    passed += [word for module in given.imports for word in ("--import", module)]
    return _supervise(_Supervisor(passed, given.slots), given.until_eof)


if __name__ == "__main__":
    sys.exit(main())
