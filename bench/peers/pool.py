"""The process pool of Python's standard library."""

import concurrent.futures

from figures import CHUNK, WORKERS, noop, tell


def main():
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as executor:
        tell(
            lambda number: executor.submit(noop, number).result(),
            lambda count: [f.result() for f in [executor.submit(noop, n) for n in range(count)]],
            lambda count: list(executor.map(noop, range(count), chunksize=CHUNK)),
            calls=10_000,
            items=200_000,
        )


if __name__ == "__main__":
    main()
