"""The executor tests of CPython's own suite, run on `bary.Executor`.

They need the suite, which some systems have in a package of its own; BARY_CPYTHON_SUITE names the
folder `test` of one that lies elsewhere. Without any, this ends with exit code 77: skipped.
"""

import concurrent.futures
import importlib
import os
import pathlib
import sys
import tempfile
import time
import unittest

import bary

SKIPPED = 77
"""The exit code that means so, as Automake has it."""

_folder = None
"""A package `test` that looks in both places; it lives as long as this process."""


def _place_suite():
    """Lets `test` be found in the folder that is named, here and in workers."""
    global _folder
    elsewhere = os.environ.get("BARY_CPYTHON_SUITE")
    if elsewhere is None:
        return
    places = [str(place) for path in sys.path if (place := pathlib.Path(path, "test")).is_dir()]
    _folder = tempfile.TemporaryDirectory()
    package = pathlib.Path(_folder.name, "test")
    package.mkdir()
    (package / "__init__.py").write_text(f"__path__ += {[elsewhere, *places]!r}\n")
    sys.path.insert(0, _folder.name)


def _suite():
    """The classes of CPython's tests by name; none where this Python has no suite."""
    _place_suite()
    found = {}
    parts = ("executor", "test_shutdown", "test_wait", "test_as_completed", "test_process_pool",
             "test_deadlock", "test_future")
    for name in ("", *(f".{part}" for part in parts)):
        try:
            module = importlib.import_module(f"test.test_concurrent_futures{name}")
        except ImportError:
            continue
        # A task that takes its worker down breaks its own future only.
        module.BrokenProcessPool = concurrent.futures.BrokenExecutor
        found.update(vars(module))
    return found


cpython = _suite()
if "ExecutorTest" not in cpython:
    print("SKIPPED: this Python has no test suite (Debian: libpython3-testsuite)", file=sys.stderr)
    sys.exit(SKIPPED)


class _Executor(bary.Executor):
    """Takes what the tests say to a pool of processes."""

    def __init__(self, max_workers=None, mp_context=None):
        super().__init__(max_workers)


class BaryMixin:
    """A fresh executor with two workers for each test."""

    executor_type = _Executor
    worker_count = 2

    def setUp(self):
        super().setUp()
        self.t1 = time.monotonic()
        self.executor = self.executor_type(max_workers=self.worker_count)

    def tearDown(self):
        self.executor.shutdown(wait=True)
        self.executor = None
        super().tearDown()

    def get_context(self):
        return None


def _only(base, *names):
    """The tests of a class that are named."""
    return type(base.__name__, (), {name: getattr(base, name) for name in names})


def _without(*names):
    """Takes tests out that ask for what only a pool of this process has."""
    def strip(case):
        for name in names:
            setattr(case, name, None)
        return case
    return strip


@_without(
    # They run a script that finds the executor by its name in `concurrent.futures`; test_bary.py
    # has the same for this one.
    "test_interpreter_shutdown", "test_submit_after_interpreter_shutdown", "test_hang_gh83386",
    # It expects a call to have begun when it is submitted; test_bary.py waits for that.
    "test_cancel_futures",
)
class ShutdownTest(BaryMixin, cpython["ExecutorShutdownTest"], unittest.TestCase):
    pass


class WaitTest(BaryMixin, cpython["WaitTests"], unittest.TestCase):
    pass


class AsCompletedTest(BaryMixin, cpython["AsCompletedTests"], unittest.TestCase):
    pass


class ExecutorTest(BaryMixin, cpython["ExecutorTest"], unittest.TestCase):
    pass


class ProcessPoolTest(
    # The others look at the processes of the pool.
    BaryMixin, _only(cpython["ProcessPoolExecutorTest"], "test_map_chunksize"), unittest.TestCase,
):
    pass


@_without(
    # What cannot be read by a worker, or here, is an error of its future, and breaks no pool.
    "test_exit_at_task_unpickle", "test_error_at_task_unpickle",
    "test_error_during_result_unpickle_in_result_handler",
    "test_exit_during_result_unpickle_in_result_handler",
    # It looks at the thread of the pool.
    "test_shutdown_deadlock_pickle",
    # They look at pipes of the pool.
    "test_gh105829_should_not_deadlock_if_wakeup_pipe_full", "test_gh109917",
)
class DeadlockTest(BaryMixin, cpython["ExecutorDeadlockTest"], unittest.TestCase):
    pass


class FutureTest(cpython["FutureTests"]):
    pass


if __name__ == "__main__":
    unittest.main()
