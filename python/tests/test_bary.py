"""What `bary.Executor` promises beyond `concurrent.futures`, on real nodes."""

import concurrent.futures
import gc
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import bary
from bary import connection
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


def touch_and_wait(path, gate):
    pathlib.Path(path).touch()
    while not os.path.exists(gate):
        time.sleep(0.01)
    return path


def wait_for(path):
    end = time.monotonic() + LONG
    while not os.path.exists(path):
        if time.monotonic() > end:
            raise TimeoutError(path)
        time.sleep(0.01)


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
        gate = self.path("gate")
        running = [self.executor.submit(touch_and_wait, self.path(n), gate) for n in "ab"]
        wait_for(self.path("a"))
        wait_for(self.path("b"))
        waiting = self.executor.submit(touch_and_wait, self.path("c"), gate)
        # It is alone in its submission, and no worker has begun it.
        deadline = time.monotonic() + LONG
        while not waiting.cancel() and time.monotonic() < deadline:
            pass
        self.assertTrue(waiting.cancelled())
        self.assertFalse(running[0].cancel())
        pathlib.Path(gate).touch()
        self.assertEqual([future.result(LONG) for future in running],
                         [self.path("a"), self.path("b")])
        self.executor.shutdown()
        self.assertFalse(os.path.exists(self.path("c")))

    def test_shutdown_cancels_what_waits_and_finishes_what_runs(self):
        futures = [self.executor.submit(time.sleep, 0.1) for _ in range(50)]
        futures[0].result(LONG)
        self.executor.shutdown(cancel_futures=True)
        cancelled = [future for future in futures if future.cancelled()]
        self.assertGreater(len(cancelled), 20)
        self.assertTrue(all(future.done() for future in futures))
        self.assertIsNone(futures[0].exception())

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
