"""Runs Python functions on every machine you can reach."""

from bary import task
from bary.cache import cached
from bary.executor import Executor, NodeError, RemoteTraceback, TaskLost

__all__ = ["Executor", "NodeError", "RemoteTraceback", "TaskLost", "cached", "task"]
__version__ = "0.1.0"
