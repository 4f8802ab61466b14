"""Dask distributed: a scheduler and workers of one thread, each a process of its own."""

import os
import sys
import tempfile

from figures import WORKERS, chunk, chunks, flat, noop, tell
from servers import free_port, running, skip, wait_for

try:
    from distributed import Client
except ImportError as cause:
    skip(f"there is no Dask: {cause}")

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    port = free_port()
    at = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    env = dict(os.environ, PYTHONPATH=HERE, DASK_DISTRIBUTED__LOGGING__DISTRIBUTED="error")
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    with tempfile.TemporaryDirectory() as folder, running(scheduler, env=env):
        wait_for(port)
        worker = [
            *dask, "worker", at, "--host", "127.0.0.1", "--nworkers", str(WORKERS),
            "--nthreads", "1", "--no-dashboard", "--local-directory", folder, "--memory-limit", "0",
        ]
        with running(worker, env=env), Client(at) as client:
            client.wait_for_workers(WORKERS, timeout=60)
            submit = lambda number: client.submit(noop, number, pure=False)
            tell(
                lambda number: submit(number).result(),
                lambda count: client.gather([submit(number) for number in range(count)]),
                lambda count: flat(client.gather(client.map(chunk, chunks(count), pure=False))),
                calls=3_000,
                items=100_000,
            )


if __name__ == "__main__":
    main()
