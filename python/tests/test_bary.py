"""What `bary.Executor` promises beyond `concurrent.futures`, on real nodes."""

import concurrent.futures
import gc
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import bary
from bary import cache, connection
from bary.v1 import node_pb2

LONG = 120
"""Seconds after which something that should have happened has not."""


class Unpicklable(Exception):
    def __init__(self):
        super().__init__("of no use elsewhere")
        self.lock = threading.Lock()


def fail_without_pickle():
    raise Unpicklable


def fail():
    raise KeyError("no luck")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def once(marker):
    """Dies at its first attempt, having kept a checkpoint."""
    if not os.path.exists(marker):
        bary.task.progress(0.5, "half of it")
        bary.task.checkpoint(7, {"half": True})
        pathlib.Path(marker).touch()
        die()
    return bary.task.current().attempt, bary.task.last_checkpoint()


def meet(value):
    """The sum of what all ranks of a gang have, which rank 0 tells the others."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    if rank > 0:
        began = time.monotonic()
        while True:
            try:
                with socket.create_connection(place, LONG) as master:
                    master.sendall(f"{value}\n".encode())
                    return rank, int(master.recv(100))
            except ConnectionRefusedError:
                # Rank 0 does not listen yet.
                if time.monotonic() - began > LONG:
                    raise
    with socket.create_server(place) as listener:
        others = [listener.accept()[0] for _ in range(size - 1)]
    total = value + sum(int(other.makefile().readline()) for other in others)
    for other in others:
        other.sendall(str(total).encode())
        other.close()
    return rank, total


def fail_at_rank(rank):
    if int(os.environ["RANK"]) == rank:
        raise KeyError("no luck")
    while not bary.task.is_stopped():
        threading.Event().wait(0.01)


def rank_here():
    return os.environ.get("RANK")


def arrive(gate, name):
    """Comes to a gate, and waits there until it is open."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(LONG)
        caller.connect(gate)
        caller.sendall(f"{name}\n".encode())
        caller.recv(1)
    return name


class Gate:
    """Where functions in other processes wait until it is open."""

    def __init__(self, path):
        self.path = path
        self._came, self._waiting, self._open = [], [], False
        self._changed = threading.Condition()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller.makefile() as says:
                name = says.readline().strip()
            with self._changed:
                self._came.append(name)
                if self._open:
                    caller.close()
                else:
                    self._waiting.append(caller)
                self._changed.notify_all()

    def came(self, count):
        """Who has come, once so many have."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._came) >= count, LONG):
                raise TimeoutError(f"{self._came} came, which are not {count}")
            return sorted(self._came)

    def open(self):
        """Lets all go who wait, and who come."""
        with self._changed:
            self._open = True
            while self._waiting:
                self._waiting.pop().close()

    def close(self):
        self.open()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@bary.cached
def noted(path, value):
    """Leaves a line behind when it runs."""
    with open(path, "a") as notes:
        notes.write(f"{value}\n")
    return value


def unmarked(path):
    return noted(path, "x")


class ProbeTest(unittest.TestCase):
    def test_the_standard_probe_of_grpc_is_answered(self):
        node = connection.OwnNode()
        self.addCleanup(node.close)
        with connection.channel(node.address) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            # Messages of that contract by hand: the service of a request is field 1, and so is the
            # status of a reply, where 1 is SERVING.
            for service in (b"", b"bary.v1.Node"):
                asked = b"\x0a" + bytes([len(service)]) + service if service else b""
                self.assertEqual(check(asked, timeout=LONG), b"\x08\x01", service)


class OwnNodeTest(unittest.TestCase):
    """A node and workers that the executor starts itself."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.executor = bary.Executor(max_workers=2)
        self.addCleanup(self.executor.shutdown)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def gate(self):
        gate = Gate(self.path("gate"))
        self.addCleanup(gate.close)
        return gate

    def test_an_error_brings_its_traceback(self):
        future = self.executor.submit(fail)
        with self.assertRaisesRegex(KeyError, "no luck") as caught:
            future.result(LONG)
        self.assertIsInstance(caught.exception.__cause__, bary.RemoteTraceback)
        self.assertIn("in fail", str(caught.exception.__cause__))

    def test_an_error_that_cannot_travel_is_told_in_words(self):
        with self.assertRaisesRegex(RuntimeError, "Unpicklable: of no use elsewhere"):
            self.executor.submit(fail_without_pickle).result(LONG)

    def test_what_cannot_travel_fails_alone(self):
        with self.assertRaises(TypeError):
            self.executor.submit(len, threading.Lock()).result(LONG)
        with self.assertRaises(TypeError):
            self.executor.submit(threading.Lock).result(LONG)
        self.assertEqual(self.executor.submit(len, [1]).result(LONG), 1)

    def test_functions_of_this_script_and_without_a_name_travel(self):
        base = 3
        self.assertEqual(list(self.executor.map(lambda n: n * base, range(4))), [0, 3, 6, 9])

    def test_large_arguments_and_results(self):
        data = os.urandom(5_000_000)
        self.assertEqual(self.executor.submit(bytes.join, b"", [data]).result(LONG), data)
        large = bytes(59 << 20)
        self.assertEqual(list(self.executor.map(len, [large] * 2)), [len(large)] * 2)
        with self.assertRaisesRegex(ValueError, "62914560 bytes, .* the name of a file"):
            self.executor.submit(len, bytes(61 << 20)).result(LONG)

    def test_what_kills_its_process_is_given_up_and_others_go_on(self):
        bad = self.executor.submit(die)
        good = [self.executor.submit(abs, -n) for n in range(200)]
        with self.assertRaises(bary.TaskLost):
            bad.result(LONG)
        self.assertEqual([future.result(LONG) for future in good], list(range(200)))

    def test_the_next_attempt_is_given_the_checkpoint(self):
        future = self.executor.submit(once, self.path("marker"))
        self.assertEqual(future.result(LONG), (2, (7, {"half": True})))

    def test_chunks(self):
        results = self.executor.map(divmod, range(1_000), [7] * 1_000, chunksize=64)
        self.assertEqual(list(results), [divmod(n, 7) for n in range(1_000)])

    def test_what_waits_can_be_cancelled_and_what_runs_cannot(self):
        gate = self.gate()
        running = [self.executor.submit(arrive, gate.path, name) for name in "ab"]
        self.assertEqual(gate.came(2), ["a", "b"])
        waiting = self.executor.submit(arrive, gate.path, "c")
        # It is alone in its submission, and no worker has begun it.
        deadline = time.monotonic() + LONG
        while not waiting.cancel() and time.monotonic() < deadline:
            pass
        self.assertTrue(waiting.cancelled())
        self.assertFalse(running[0].cancel())
        gate.open()
        self.assertEqual([future.result(LONG) for future in running], ["a", "b"])
        self.executor.shutdown()
        self.assertEqual(gate.came(2), ["a", "b"])

    def test_shutdown_cancels_what_waits_and_finishes_what_runs(self):
        gate = self.gate()
        futures = [self.executor.submit(arrive, gate.path, name) for name in range(50)]
        gate.came(2)
        self.executor.shutdown(wait=False, cancel_futures=True)
        # As long as the gate is shut, what ends was cancelled.
        first = itertools.islice(concurrent.futures.as_completed(futures, LONG), 20)
        self.assertTrue(all(future.cancelled() for future in first))
        gate.open()
        self.executor.shutdown()
        ran = [str(future.result()) for future in futures if not future.cancelled()]
        self.assertEqual(gate.came(2), sorted(ran))
        self.assertIn("0", ran)

    def test_equal_calls_take_a_result_that_is_known(self):
        path = self.path("notes")
        for value in (1, 2, 1, 2):
            self.assertEqual(self.executor.submit(noted, path, value).result(LONG), value)
        for _ in range(2):
            results = self.executor.map(noted, [path] * 3, [1, 2, 3], chunksize=3)
            self.assertEqual(list(results), [1, 2, 3])
        self.assertEqual(pathlib.Path(path).read_text().split(), ["1", "2", "1", "2", "3"])
        # What is not marked runs whenever it is asked to.
        for _ in range(2):
            self.executor.submit(unmarked, path).result(LONG)
        self.assertEqual(pathlib.Path(path).read_text().split()[5:], ["x", "x"])
        self.assertEqual(self.executor.submit(bary.cached(pow), 2, 5).result(LONG), 32)

    def test_all_calls_of_an_executor_may_take_known_results(self):
        path = self.path("notes")
        with bary.Executor(1, cache=60) as executor:
            for _ in range(3):
                self.assertEqual(executor.submit(unmarked, path).result(LONG), "x")
        self.assertEqual(pathlib.Path(path).read_text().split(), ["x"])
        for wrong in (0, -1, "no"):
            with self.assertRaises((TypeError, ValueError)):
                bary.Executor(1, cache=wrong)

    def test_calls_of_other_code_are_not_equal(self):
        def made(step):
            scope = {"__name__": "__main__"}
            exec(f"def count(n):\n    return n + {step}", scope)
            return bary.cached(60)(scope["count"])

        results = [self.executor.submit(made(step), 1).result(LONG) for step in (1, 2, 1)]
        self.assertEqual(results, [2, 3, 2])
        self.assertEqual(len({cache.wish(made(step), 0.0) for step in (1, 2, 1)}), 2)
        self.assertEqual(cache.wish(unmarked, 0.0), (0.0, b""))

    def test_ranks_of_a_gang_run_at_once_and_meet(self):
        futures = self.executor.submit_gang(2, meet, 5)
        self.assertEqual([future.result(LONG) for future in futures], [(0, 10), (1, 10)])
        results = self.executor.map(meet, [1, 2, 3, 4], gang=2)
        self.assertEqual(list(results), [(0, 3), (1, 3), (0, 7), (1, 7)])
        # What comes next in the same processes is no rank of anything.
        ranks = [self.executor.submit(rank_here) for _ in range(4)]
        self.assertEqual([future.result(LONG) for future in ranks], [None] * 4)

    def test_a_rank_that_fails_stops_the_others(self):
        other, bad = self.executor.submit_gang(2, fail_at_rank, 1)
        with self.assertRaisesRegex(KeyError, "no luck"):
            bad.result(LONG)
        with self.assertRaises(concurrent.futures.CancelledError):
            other.result(LONG)
        self.assertEqual(self.executor.submit(abs, -1).result(LONG), 1)

    def test_a_gang_that_could_never_start_is_refused(self):
        with self.assertRaisesRegex(ValueError, "there are 2 workers"):
            self.executor.submit_gang(3, meet, 1)
        with self.assertRaisesRegex(ValueError, "3 calls, 1 to a task, are no gangs of 2"):
            self.executor.map(meet, [1, 2, 3], gang=2)
        with self.assertRaises(TypeError):
            self.executor.submit_gang(2, len, threading.Lock())[1].result(LONG)

    def test_outside_of_tasks_there_is_no_task(self):
        self.assertIsNone(bary.task.current())
        with self.assertRaises(bary.task.NoTask):
            bary.task.progress(0.5)


class EndTest(unittest.TestCase):
    """How executors end."""

    def run_script(self, text):
        """What a script prints; it must end well."""
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, timeout=LONG, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_what_was_submitted_is_finished_when_the_interpreter_ends(self):
        said = self.run_script("import bary\nbary.Executor(1).submit(print, 'apple', flush=True)")
        self.assertEqual(said, ["apple"])

    def test_shutdown_without_waiting_finishes_too(self):
        said = self.run_script(
            "import bary\nexecutor = bary.Executor(1)\nexecutor.submit(print, 'apple', flush=True)\n"
            "executor.shutdown(wait=False)"
        )
        self.assertEqual(said, ["apple"])

    def test_nothing_can_be_submitted_when_the_interpreter_ends(self):
        said = self.run_script(
            "import atexit, bary\n"
            "@atexit.register\n"
            "def last():\n"
            "    try:\n"
            "        executor.submit(id, None)\n"
            "    except RuntimeError:\n"
            "        print('refused')\n"
            "executor = bary.Executor(1)\n"
            "executor.submit(id, 1).result()\n"
        )
        self.assertEqual(said, ["refused"])

    def test_an_executor_that_nobody_holds_ends_when_its_calls_have(self):
        executor = bary.Executor(1)
        session = executor._session
        future = executor.submit(abs, -1)
        del executor
        gc.collect()
        self.assertEqual(future.result(LONG), 1)
        session.shutdown(wait=True, cancel=False)

    def test_none_can_be_made_of_nothing(self):
        with self.assertRaises(ValueError):
            bary.Executor(0)


class NamedNodeTest(unittest.TestCase):
    """A node that somebody else has started, with a state."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        program = os.environ.get("BARY_PROGRAM", "bary")
        command = [program, "up", "--listen", "127.0.0.1:0", "--no-socket", "--state", cls.folder.name]
        cls.node = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end)
        said = cls.node.stderr.readline()
        cls.address = said.split("http://")[1].split(";")[0].split()[0]
        cls.token = pathlib.Path(cls.folder.name, "token").read_text().strip()

    @classmethod
    def end(cls):
        cls.node.terminate()
        cls.node.communicate()

    def test_two_executors_share_it(self):
        with bary.Executor(2, address=self.address, token=self.token) as first, \
                bary.Executor(address=self.address, token=self.token) as second:
            results = [list(executor.map(abs, range(-50, 0))) for executor in (first, second)]
        self.assertEqual(results, [list(range(50, 0, -1))] * 2)

    def test_who_has_no_token_is_refused(self):
        executor = bary.Executor(address=self.address, token="bary_" + "x" * 43)
        try:
            with self.assertRaisesRegex(concurrent.futures.BrokenExecutor, "UNAUTHENTICATED"):
                executor.submit(abs, -1).result(LONG)
        finally:
            executor.shutdown()

    def test_the_example_worker(self):
        example = pathlib.Path(__file__).parents[2] / "examples" / "worker.py"
        token = os.path.join(self.folder.name, "token")
        worker = subprocess.Popen([sys.executable, str(example), self.address, token])
        node = connection.node(connection.channel(self.address))
        headers = connection.metadata(self.token)
        for function, given in [("square", b"144"), ("count", b"12")]:
            tasks = node_pb2.Tasks(function=function, inputs=[b"12"])
            job = node.Submit(node_pb2.SubmitRequest(tasks=tasks), metadata=headers).job
            done = node.Wait(node_pb2.WaitRequest(jobs=[job], timeout=LONG), metadata=headers)
            self.assertTrue(done.done)
            asked = node_pb2.ResultsRequest(job=job)
            results = [result.data for result in node.Results(asked, metadata=headers)]
            self.assertEqual(results, [given])
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    unittest.main()
