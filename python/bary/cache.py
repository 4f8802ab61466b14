"""Calls that may take a result of an equal one instead of running."""

import functools
import hashlib
import types

_DAY = 86_400.0
"""How old a result may be where nobody says, in seconds."""
_MARK = "__bary_cache__"
"""Where a function holds how old its results may be."""


def cached(what=True):
    """Marks a function whose result depends on nothing but its arguments, as a decorator: where the
    node knows a result of an equal call that is at most a day, or `cached(seconds)`, old, it is
    taken instead of running the function again. Called directly, it runs as ever."""
    if not callable(what):
        return functools.partial(_marked, age=age_of(what))
    return _marked(what, _DAY)


def _marked(function, age):
    try:
        setattr(function, _MARK, age)
    except AttributeError:
        # Built-in ones take no marks.
        function = functools.partial(function)
        setattr(function, _MARK, age)
    return function


def age_of(cache):
    """The seconds that a result may be old: 0 where none is to be taken."""
    if cache is None or isinstance(cache, bool):
        return _DAY if cache else 0.0
    if not cache > 0:
        raise ValueError("cache must be True, or a number of seconds greater than 0")
    return float(cache)


def wish(function, usual):
    """How old a result of a call may be in seconds, and bytes that differ where the code of the
    function does; `usual` holds where the function is not marked."""
    age = getattr(function, _MARK, usual)
    if not age:
        return 0.0, b""
    digest = hashlib.blake2b(digest_size=16)
    for part in _functions(function):
        _digest(part.__code__, digest)
        digest.update(repr((part.__defaults__, part.__kwdefaults__)).encode())
    return age, digest.digest()


def _functions(function):
    """The functions in Python that a call consists of, not those that they call."""
    if isinstance(function, functools.partial):
        for part in (function.func, *function.args, *function.keywords.values()):
            yield from _functions(part)
    elif isinstance(function, types.MethodType):
        yield from _functions(function.__func__)
    elif isinstance(function, types.FunctionType):
        yield function
        if hasattr(function, "__wrapped__"):
            yield from _functions(function.__wrapped__)


def _digest(code, digest):
    digest.update(code.co_code)
    digest.update(repr(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _digest(constant, digest)
        else:
            digest.update(repr(constant).encode())
