"""What a task can say of itself while it runs in a worker."""

_current = None
"""The task that runs in this process, where one does."""

_MISSING = object()


class NoTask(RuntimeError):
    """Nothing runs here as a task."""


def current():
    """The task that runs here: its `job`, `number`, `attempt` and `env`; None outside of tasks."""
    return _current


def progress(share, message=""):
    """Says how far the task is: a share from 0 to 1, and a line for people."""
    _running().progress(min(max(float(share), 0.0), 1.0), message)


def checkpoint(step, value):
    """Keeps a value for the next attempt, should this one not end well; the last one counts."""
    _running().checkpoint(int(step), value)


def last_checkpoint(default=_MISSING):
    """The step and value that the attempt before kept last; `default` where there is none."""
    kept = _running().kept()
    if kept is not None:
        return kept
    return (0, None) if default is _MISSING else default


def is_stopped():
    """Whether the task has been asked to end; long functions should look now and then."""
    return _current is not None and _current.stopped


def _running():
    if _current is None:
        raise NoTask("no task runs in this process; this is for functions that a worker runs")
    return _current


def _set(task):
    global _current
    _current = task
