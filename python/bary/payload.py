"""How calls and what comes of them travel: pickled, with the version of Python that did it."""

import pickle
import sys
import traceback
import warnings

import cloudpickle

FUNCTION = "python.call"
"""The function that workers register: it runs what its input holds."""

_VERSION = bytes(sys.version_info[:2])


class RemoteTraceback(Exception):
    """The traceback of a task's error, as text: the cause of the error that is raised here."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text

    def __str__(self):
        return f'\n"""\n{self.text}"""'


def pack(value):
    """The bytes of a value."""
    try:
        # The plain pickler is several times faster, where it knows the way.
        body = pickle.dumps(value, protocol=5)
        if b"__main__" in body:
            body = cloudpickle.dumps(value, protocol=5)
    except Exception:  # noqa: BLE001 - whatever the plain one cannot do, the other may
        body = cloudpickle.dumps(value, protocol=5)
    return _VERSION + body


def unpack(data):
    """The value of such bytes."""
    if data[:2] != _VERSION:
        there, here = (".".join(map(str, version)) for version in (data[:2], _VERSION))
        warnings.warn(
            f"this was pickled by Python {there} and is read by {here}; "
            "functions may not work across minor versions",
            RuntimeWarning,
            stacklevel=2,
        )
    return pickle.loads(memoryview(data)[2:])


def pack_error(error):
    """The bytes of an error and of its traceback."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        return pack((error.with_traceback(None), text))
    except Exception as unpacked:  # noqa: BLE001 - an error may hold what cannot travel
        words = f"{type(error).__name__}: {error} (and it could not be sent: {unpacked})"
        return pack((RuntimeError(words), text))


def unpack_error(data, title):
    """The error of such bytes, with its traceback as the cause; one of `title` without any."""
    if not data:
        return RuntimeError(title)
    error, text = unpack(data)
    error.__cause__ = RemoteTraceback(text)
    return error
