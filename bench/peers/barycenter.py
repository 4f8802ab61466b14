"""Barycenter's own executor: a node in memory and worker processes that it starts by itself."""

import bary

from figures import CHUNK, WORKERS, noop, tell


def main():
    with bary.Executor(WORKERS) as executor:
        tell(
            lambda number: executor.submit(noop, number).result(),
            lambda count: [f.result() for f in [executor.submit(noop, n) for n in range(count)]],
            lambda count: list(executor.map(noop, range(count), chunksize=CHUNK)),
            calls=20_000,
            items=200_000,
        )


if __name__ == "__main__":
    main()
