"""NATS JetStream as a queue of tasks in memory: workers pull, acknowledge, and publish results."""

import asyncio
import json
import os
import sys
import tempfile

from figures import WORKERS, chunk, chunks, flat, noop, tell
from servers import free_port, need, running, skip, wait_for

try:
    import nats
    from nats.js.api import RetentionPolicy, StorageType, StreamConfig
except ImportError as cause:
    skip(f"there is no client of NATS: {cause}")

HERE = os.path.dirname(os.path.abspath(__file__))
AHEAD = 1_000
"""Messages that are published before the first is acknowledged."""


async def work(port):
    """A worker; a message is a number or a list of them."""
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    tasks = await client.jetstream().pull_subscribe("tasks", "workers")
    while True:
        try:
            messages = await tasks.fetch(100, timeout=30)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            place, call = json.loads(message.data)
            result = chunk(call) if isinstance(call, list) else noop(call)
            await client.publish("results", json.dumps([place, result]).encode())
            await message.ack()


class Queue:
    """The side that submits."""

    async def open(self, port):
        self.client = await nats.connect(f"nats://127.0.0.1:{port}")
        self.stream = self.client.jetstream()
        kept = {"retention": RetentionPolicy.WORK_QUEUE, "storage": StorageType.MEMORY}
        await self.stream.add_stream(StreamConfig(name="TASKS", subjects=["tasks"], **kept))
        await self.client.subscribe("results", cb=self.take)
        self.results, self.wanted, self.done = {}, 0, asyncio.Event()

    async def take(self, message):
        place, result = json.loads(message.data)
        self.results[place] = result
        if len(self.results) >= self.wanted:
            self.done.set()

    async def run(self, calls):
        self.results, self.wanted = {}, len(calls)
        self.done.clear()
        room = asyncio.Semaphore(AHEAD)

        async def submit(place, call):
            async with room:
                await self.stream.publish("tasks", json.dumps([place, call]).encode(), timeout=30)

        await asyncio.gather(*(submit(place, call) for place, call in enumerate(calls)))
        await self.done.wait()
        return [self.results[place] for place in range(len(calls))]


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "nats.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: {folder} }}\n")
        with running([need("nats-server"), "-c", config]):
            wait_for(port)
            loop = asyncio.new_event_loop()
            queue = Queue()
            loop.run_until_complete(queue.open(port))
            worker = [sys.executable, os.path.join(HERE, "jetstream.py"), str(port)]
            with running(worker), running(worker):
                assert WORKERS == 2, "two are started"
                run = lambda calls: loop.run_until_complete(queue.run(calls))
                tell(
                    lambda number: run([number])[0],
                    lambda count: run(list(range(count))),
                    lambda count: flat(run(chunks(count))),
                    calls=10_000,
                    items=100_000,
                )
                loop.run_until_complete(queue.client.close())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(work(int(sys.argv[1])))
    else:
        main()
