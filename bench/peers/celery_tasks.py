"""What Celery's workers can do."""

import os

from celery import Celery

import figures

_REDIS = f"redis://127.0.0.1:{os.environ['PEER_REDIS_PORT']}"

app = Celery("celery_tasks", broker=f"{_REDIS}/0", backend=f"{_REDIS}/1")
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)

noop = app.task(name="peer.noop")(figures.noop)
chunk = app.task(name="peer.chunk")(figures.chunk)
