"""Times what every system is asked for, and prints it as one line of JSON."""

import itertools
import json
import time

WORKERS = 2
"""Worker processes of each system."""
CHUNK = 100
"""Calls in a chunk."""
ONE_BY_ONE = 500
"""Calls whose latency is measured."""


def noop(number):
    return number


def chunk(numbers):
    return [noop(number) for number in numbers]


def chunks(count):
    """The numbers below `count`, in chunks."""
    return [list(range(first, min(first + CHUNK, count))) for first in range(0, count, CHUNK)]


def flat(parts):
    """The results of all chunks, one after another."""
    return list(itertools.chain.from_iterable(parts))


def tell(one, many, mapped, calls, items):
    """Measures a system and prints its figures.

    `one(number)` submits a call and waits for its result. `many(count)` submits calls one by one and
    gives all results. `mapped(count)` does it in chunks. `calls` and `items` are how many of each.
    """
    for number in range(50):
        one(number)
    many(200)
    mapped(20 * CHUNK)
    micros = []
    for number in range(ONE_BY_ONE):
        begun = time.perf_counter()
        found = one(number)
        micros.append((time.perf_counter() - begun) * 1e6)
        assert found == number, found
    micros.sort()
    print(json.dumps({
        "p50_us": micros[len(micros) // 2],
        "p99_us": micros[len(micros) * 99 // 100],
        "submit_rate": rate(many, calls),
        "map_rate": rate(mapped, items),
    }), flush=True)


def rate(run, count):
    begun = time.perf_counter()
    results = run(count)
    seconds = time.perf_counter() - begun
    assert list(results) == list(range(count)), "results are missing or out of order"
    return count / seconds
