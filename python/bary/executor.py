"""A `concurrent.futures.Executor` whose workers may be anywhere."""

import concurrent.futures
import functools
import itertools
import os
import threading
import time
import weakref

from bary import cache as cached_calls
from bary.connection import NodeError, OwnNode, named
from bary.crew import Crew
from bary.payload import RemoteTraceback
from bary.session import Session, TaskLost

__all__ = ["Executor", "NodeError", "RemoteTraceback", "TaskLost"]

_WINDOW_OWN = 256
"""Fewest calls that a node of our own is given ahead, however few its workers are."""
_WINDOW_PER_WORKER = 64
"""Calls that a node of our own is given ahead for each worker."""
_WINDOW_NAMED = 10_000
"""Calls that any other node is given ahead."""

_open = weakref.WeakSet()
"""What has to be shut down before the interpreter ends."""
_ended = threading.Event()
"""Whether the interpreter is ending."""


def _at_exit():
    _ended.set()
    for session in list(_open):
        session.shutdown(wait=True, cancel=False)


# As the executors of the standard library do: what was submitted is finished.
threading._register_atexit(_at_exit)


class Executor(concurrent.futures.Executor):
    """Runs calls as tasks of a node.

    Without an address, and where `BARY_ADDR` is not set, a node in memory and `max_workers` worker
    processes are started, and ended by `shutdown`. With one, the workers that registered there run
    the calls, and `max_workers` more are started here only where it is given.

    With `cache`, a call takes the result of an equal one that the node knows, instead of running:
    one of at most so many seconds, or of a day where it is `True`. `bary.cached` says the same of
    one function.

    With `home`, and where `BARY_HOME` is set, the jobs are another member's of the cluster that the
    node is in; the node hands them on.
    """

    def __init__(
        self,
        max_workers=None,
        *,
        address=None,
        token=None,
        name="python",
        cache=None,
        home=None,
    ):
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        self._cache = cached_calls.age_of(cache)
        found, found_token = named()
        address, token = address or found, token or found_token
        own = None if address else OwnNode()
        if own is not None and home:
            raise ValueError("a home is a member of a cluster: name the address of a node of it")
        home = None if own else home or os.environ.get("BARY_HOME")
        window = _WINDOW_NAMED
        if own is not None:
            max_workers = max_workers or os.cpu_count() or 1
            window = max(_WINDOW_OWN, _WINDOW_PER_WORKER * max_workers)
        place = own.address if own else address
        crew = Crew(place, token, max_workers, name) if max_workers else None
        self._max_workers = max_workers
        # No others ever join a node of our own.
        self._own_workers = max_workers if own else None
        self._session = Session(place, token, name, window, (crew, own), home)
        _open.add(self._session)
        # What was submitted is finished when nobody holds the executor any more.
        self._finalizer = weakref.finalize(self, self._session.close_later)
        self._finalizer.atexit = False

    def submit(self, fn, /, *args, **kwargs):
        """Runs `fn(*args, **kwargs)` as a task and gives the future of its result."""
        if _ended.is_set():
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        age, code = cached_calls.wish(fn, self._cache)
        return self._session.submit((fn, args, kwargs), age, code)

    def submit_gang(self, size, fn, /, *args, **kwargs):
        """Runs `fn(*args, **kwargs)` in `size` workers at once, and gives their futures by rank.

        Each finds `RANK`, `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT` in its environment. Where a
        rank fails, its future has the error, and the others are cancelled. A future that is
        cancelled before goes on: ranks need each other.
        """
        return self._gang([(fn, args, kwargs)] * self._gang_size(size))

    def map(self, fn, *iterables, timeout=None, chunksize=1, gang=0):
        """As the built-in `map`, `chunksize` calls to a task; results come in order.

        With `gang`, each so many calls that follow each other are started together, as the ranks of
        `submit_gang`.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if gang:
            size = self._gang_size(gang)
            calls = [(fn, args, {}) for args in zip(*iterables)]
            if chunksize > 1 or len(calls) % size:
                raise ValueError(f"{len(calls)} calls, {chunksize} to a task, are no gangs of {size}")
            until = None if timeout is None else time.monotonic() + timeout
            gangs = [self._gang(calls[at : at + size]) for at in range(0, len(calls), size)]
            return _in_order([future for futures in gangs for future in futures], until)
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout)
        calls = zip(*iterables)
        chunks = iter(lambda: list(itertools.islice(calls, chunksize)), [])
        whole = functools.partial(_chunk, fn)
        age, _ = cached_calls.wish(fn, self._cache)
        if age:
            whole = cached_calls.cached(age)(whole)
        return _each(super().map(whole, chunks, timeout=timeout))

    def _gang_size(self, size):
        if size < 1:
            raise ValueError("a gang has at least one rank")
        if self._own_workers is not None and size > self._own_workers:
            raise ValueError(f"a gang of {size} never starts: there are {self._own_workers} workers")
        return size

    def _gang(self, calls):
        if _ended.is_set():
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        return self._session.submit_gang(calls)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Takes no more calls; with `wait`, returns when those there are have ended."""
        self._finalizer.detach()
        self._session.shutdown(wait, cancel_futures)


def _chunk(fn, calls):
    return [fn(*args) for args in calls]


def _in_order(futures, until):
    """The results of futures, none of which is held longer than it is wanted."""
    futures.reverse()
    try:
        while futures:
            left = None if until is None else until - time.monotonic()
            yield futures.pop().result(left)
    finally:
        for future in futures:
            future.cancel()


def _each(chunks):
    """The results of all chunks, none of which is held longer than it is wanted."""
    for chunk in chunks:
        chunk.reverse()
        while chunk:
            yield chunk.pop()
