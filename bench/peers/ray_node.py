"""Ray on one node, without its dashboard."""

import os

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")

from figures import WORKERS, chunk, chunks, flat, noop, tell
from servers import skip

try:
    import ray
except ImportError as cause:
    skip(f"there is no Ray: {cause}")


def main():
    ray.init(
        num_cpus=WORKERS,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=256 << 20,
    )
    call, mapped = ray.remote(noop), ray.remote(chunk)
    tell(
        lambda number: ray.get(call.remote(number)),
        lambda count: ray.get([call.remote(number) for number in range(count)]),
        lambda count: flat(ray.get([mapped.remote(part) for part in chunks(count)])),
        calls=10_000,
        items=100_000,
    )
    ray.shutdown()


if __name__ == "__main__":
    main()
