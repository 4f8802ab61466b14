"""Celery with Redis as its broker and for its results, neither of which keeps anything."""

import os
import sys
import tempfile

from figures import CHUNK, WORKERS, chunks, flat, tell
from servers import free_port, need, running, skip, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    port = free_port()
    os.environ["PEER_REDIS_PORT"] = str(port)
    try:
        import celery_tasks
    except ImportError as cause:
        skip(f"there is no Celery: {cause}")
    redis = [need("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    worker = [
        sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "-c", str(WORKERS),
        "-n", "peer@127.0.0.1", "-l", "critical", "--without-gossip", "--without-mingle",
    ]
    with tempfile.TemporaryDirectory() as folder, running([*redis, "--dir", folder]):
        wait_for(port)
        with running(worker, cwd=HERE):
            call, mapped = celery_tasks.noop, celery_tasks.chunk
            call.delay(0).get(timeout=60)
            get = lambda asked: [one.get(timeout=120) for one in asked]
            tell(
                lambda number: call.delay(number).get(timeout=60),
                lambda count: get([call.delay(number) for number in range(count)]),
                lambda count: flat(get([mapped.delay(part) for part in chunks(count)])),
                calls=3_000,
                items=200 * CHUNK,
            )


if __name__ == "__main__":
    main()
