"""The stream of calls to a node and of their results. Threads hold it, not the executor."""

import collections
import concurrent.futures
import itertools
import threading

import grpc

from bary.connection import NodeError, channel, metadata, node
from bary.payload import FUNCTION, pack, unpack, unpack_error
from bary.v1 import node_pb2

_BATCH_TASKS_MAX = 2_000
"""Most calls in one submission."""
_BATCH_BYTES_MAX = 8 << 20
"""Most bytes of calls in one submission; a single call may be larger."""
_CALL_BYTES_MAX = 60 << 20
"""Most bytes of one call."""


class TaskLost(concurrent.futures.BrokenExecutor):
    """The call took down the process of each worker that ran it, until none tried any more."""


class _Future(concurrent.futures.Future):
    """A future whose cancel reaches the node."""

    def __init__(self, session):
        super().__init__()
        self._session = session

    def cancel(self):
        """As `Future.cancel`. A call that the node has may be cancelled only where it was submitted
        alone, and no worker has begun it."""
        if self.cancelled():
            return True
        if self.done() or not self._session.withdraw(self):
            return False
        return super().cancel()


class Session:
    """Submits calls and ends their futures. `parts` are closed after it, in their order."""

    def __init__(self, address, token, name, window, parts, home=None):
        self._name, self._window = name, window
        self._parts = [part for part in parts if part is not None]
        self._channel = channel(address)
        self._node, self._metadata = node(self._channel), metadata(token, home)
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._wanted = threading.Condition(self._lock)
        # Calls that were not submitted yet, and whether somebody waits for them.
        self._calls, self._waits = collections.deque(), False
        # Gangs that were not submitted yet: their futures, and their calls.
        self._gangs = collections.deque()
        self._tickets = itertools.count(1)
        # Futures of submissions that were not answered, and of jobs, by number from 1.
        self._sent, self._jobs = {}, {}
        # Outcomes that came before the answer that names their job; and pieces of results.
        self._early, self._pieces = {}, {}
        # Calls that have not ended, and those of them that the node has.
        self._unfinished = self._out = 0
        self._closing = self._cancelling = self._ending = self._closed = False
        self._broken = None
        replies = self._node.Session(self._requests(), metadata=self._metadata)
        self._reader = threading.Thread(target=self._read, args=(replies,), name="bary", daemon=True)
        self._reader.start()
        for part in self._parts:
            part.watch(lambda why: self._break(NodeError(why)))

    def submit(self, call, age=0.0, code=b""):
        """The future of a call, which may take the result of an equal one that is at most so many
        seconds old. Calls of another `code` are not equal."""
        future = _Future(self)
        try:
            # Whoever reads the call stops at its end: what follows only tells calls apart.
            data = _packed(call) + code
        except Exception as error:  # noqa: BLE001 - what cannot travel fails in any way
            future.set_exception(error)
            data = None
        with self._lock:
            self._check_open()
            if data is not None:
                self._unfinished += 1
                self._calls.append((future, data, age))
                if self._waits:
                    self._wanted.notify()
        return future

    def submit_gang(self, calls):
        """The futures of calls that are started together, and tried again together."""
        futures = [_Future(self) for _ in calls]
        try:
            calls = [_packed(call) for call in calls]
        except Exception as error:  # noqa: BLE001 - what cannot travel fails in any way
            for future in futures:
                future.set_exception(error)
            calls = None
        with self._lock:
            self._check_open()
            if calls is not None:
                self._unfinished += len(futures)
                self._gangs.append((futures, calls))
                if self._waits:
                    self._wanted.notify()
        return futures

    def _check_open(self):
        if self._broken is not None:
            raise concurrent.futures.BrokenExecutor(str(self._broken))
        if self._closing:
            raise RuntimeError("cannot schedule new futures after shutdown")

    def withdraw(self, future):
        """Takes a call back that no worker has begun; tells whether that is so."""
        with self._lock:
            for place, (queued, _, _) in enumerate(self._calls):
                if queued is future:
                    del self._calls[place]
                    self._done(1, 0)
                    return True
            own = (job for job, futures in self._jobs.items() if future in futures.values())
            job = next(own, None)
            if job is None or len(self._jobs[job]) > 1:
                return False
        for changed in self._cancel([job]):
            if changed.cancelled == changed.tasks:
                return True
        return False

    def close_later(self):
        """Nobody holds the executor: ends when what there is has ended, without waiting here."""
        threading.Thread(target=self.shutdown, args=(True, False), name="bary-end").start()

    def shutdown(self, wait, cancel):
        """Takes no more calls, and ends everything when there are none left."""
        with self._lock:
            self._closing = True
            self._cancelling |= cancel
            queued = self._queued() if cancel else []
            jobs = list(self._jobs) if cancel else []
            if cancel:
                self._calls.clear()
                self._gangs.clear()
        for future in queued:
            self._end(future, None)
        with self._lock:
            self._done(len(queued), 0)
        if jobs:
            self._cancel(jobs)
        if wait:
            self._close()
        else:
            threading.Thread(target=self._close, name="bary-end").start()

    def _queued(self):
        """The futures of what the node does not have yet. The lock is held."""
        ranks = itertools.chain.from_iterable(futures for futures, _ in self._gangs)
        return [future for future, _, _ in self._calls] + list(ranks)

    def _close(self):
        with self._lock:
            self._idle.wait_for(lambda: self._unfinished == 0 or self._broken is not None)
            first, self._ending = not self._ending, True
            if not first:
                self._idle.wait_for(lambda: self._closed)
                return
            self._wanted.notify()
        self._reader.join()
        self._channel.close()
        for part in self._parts:
            part.close()
        with self._lock:
            self._closed = True
            self._idle.notify_all()

    def _cancel(self, jobs):
        """Has the node not begin what it has not begun; how the jobs are then."""
        wish = node_pb2.CancelRequest(jobs=jobs, keep_running=True, reason="the future was cancelled")
        try:
            return self._node.Cancel(wish, metadata=self._metadata).jobs
        except grpc.RpcError:
            # What has ended meanwhile needs no cancelling, and a node that has gone says so on the
            # stream of results.
            return []

    def _requests(self):
        while (request := self._next_request()) is not None:
            yield request
            # What was sent need not be kept until there is more.
            request = None

    def _next_request(self):
        with self._lock:
            self._waits = True
            self._wanted.wait_for(lambda: self._ending or self._has_next())
            self._waits = False
            if self._ending:
                return None
            if self._gangs:
                return self._gang_request(*self._gangs.popleft())
            batch, size, age = [], 0, self._calls[0][2]
            most = min(_BATCH_TASKS_MAX, self._window - self._out)
            while self._calls and len(batch) < most and self._calls[0][2] == age:
                size += len(self._calls[0][1])
                if batch and size > _BATCH_BYTES_MAX:
                    break
                batch.append(self._calls.popleft())
            return self._request(batch)

    def _has_next(self):
        """Whether the node may be given more. A gang goes whole, however large. The lock is held."""
        return (self._gangs or self._calls) and self._out < self._window

    def _request(self, batch):
        inputs = [data for _, data, _ in batch]
        tasks = node_pb2.Tasks(function=FUNCTION, inputs=inputs, cache=batch[0][2])
        return self._told([future for future, _, _ in batch], tasks)

    def _gang_request(self, futures, calls):
        tasks = node_pb2.Tasks(function=FUNCTION, inputs=calls, gang=len(calls))
        return self._told(futures, tasks)

    def _told(self, futures, tasks):
        """Notes that the node has the calls of these; what tells it of them. The lock is held."""
        self._out += len(futures)
        ticket = next(self._tickets)
        self._sent[ticket] = dict(enumerate(futures, 1))
        wish = node_pb2.SubmitRequest(tasks=tasks, name=self._name)
        return node_pb2.SessionRequest(ticket=ticket, submit=wish, outcomes=True)

    def _read(self, replies):
        try:
            for reply in replies:
                self._take_in(reply)
            self._break(NodeError("the node ended the conversation"))
        except grpc.RpcError as error:
            self._break(NodeError(f"{error.code().name}: {error.details()}"))

    def _take_in(self, reply):
        ended, unwanted = [], []
        with self._lock:
            for accepted in reply.accepted:
                job = accepted.reply.job
                self._jobs[job] = self._sent.pop(accepted.ticket)
                if self._cancelling:
                    unwanted.append(job)
                for outcome in self._early.pop(job, ()):
                    self._outcome(outcome, ended)
            for refused in reply.refused:
                problem = refused.problem
                error = NodeError(f"{problem.title}: {problem.detail}".removesuffix(": "))
                futures = self._sent.pop(refused.ticket).values()
                ended += [(future, error, None) for future in futures]
            for outcome in reply.outcomes:
                self._outcome(outcome, ended)
            # Who is woken by a result finds that the node has one call less.
            self._done(0, len(ended))
        if unwanted:
            self._cancel(unwanted)
        for future, error, data in ended:
            self._end(future, error, data)
        if ended:
            with self._lock:
                self._done(len(ended), 0)

    def _outcome(self, outcome, ended):
        job, number = outcome.job, outcome.number
        futures = self._jobs.get(job)
        if futures is None:
            self._early.setdefault(job, []).append(outcome)
            return
        data = outcome.data
        if outcome.more or (job, number) in self._pieces:
            pieces = self._pieces.setdefault((job, number), [])
            pieces.append(data)
            if outcome.more:
                return
            data = b"".join(self._pieces.pop((job, number)))
        future = futures.pop(number, None)
        if not futures:
            del self._jobs[job]
        if future is None:
            return
        if outcome.state == "succeeded":
            ended.append((future, None, data))
        elif outcome.state == "cancelled":
            ended.append((future, None, None))
        elif outcome.state == "quarantined":
            ended.append((future, TaskLost(outcome.error), None))
        else:
            ended.append((future, _error_of(data, outcome), None))

    def _end(self, future, error, data=None):
        """Ends a future: with an error, with a result, or with neither since it was cancelled."""
        if error is None and data is None:
            concurrent.futures.Future.cancel(future)
            future.set_running_or_notify_cancel()
        elif future.set_running_or_notify_cancel():
            try:
                result = unpack(data) if error is None else None
            except BaseException as unread:  # noqa: BLE001 - a result may fail to be read in any way
                error = unread
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _done(self, ended, out):
        """So many calls have ended, of which the node had so many. The lock is held."""
        self._unfinished -= ended
        self._out -= out
        if ended and self._unfinished == 0:
            self._idle.notify_all()
        if out and self._waits and (self._calls or self._gangs):
            self._wanted.notify()

    def _break(self, why):
        with self._lock:
            if self._ending or self._broken is not None:
                return
            self._broken = why
            futures = self._queued()
            for known in (self._sent, self._jobs):
                futures += [future for job in known.values() for future in job.values()]
                known.clear()
            self._calls.clear()
            self._gangs.clear()
            self._idle.notify_all()
        for future in futures:
            self._end(future, concurrent.futures.BrokenExecutor(str(why)))


def _packed(call):
    data = pack(call)
    if len(data) > _CALL_BYTES_MAX:
        raise ValueError(
            f"a call has at most {_CALL_BYTES_MAX} bytes, not {len(data)}: pass the name of "
            "a file that holds what is so large, or less at a time (a smaller chunksize)"
        )
    return data


def _error_of(data, outcome):
    """The error that a worker packed, or one in the node's words where there is none."""
    try:
        return unpack_error(data, outcome.error or outcome.state)
    except BaseException as unread:  # noqa: BLE001 - an error may fail to be read in any way
        unread.__cause__ = RuntimeError(outcome.error)
        return unread
