"""Runs Python functions on every machine you can reach."""

from bary import task
from bary.executor import Executor, NodeError, RemoteTraceback, TaskLost

__all__ = ["Executor", "NodeError", "RemoteTraceback", "TaskLost", "task"]
__version__ = "0.1.0"
