"""Fits a line by gradient descent over data that all ranks share: rank, size and where to meet come
from the environment, as `torch.distributed` reads them. Alone it is one process.

    python3 examples/gang/train.py
    bary run --gang 4 --cpus 0.25 -- python3 examples/gang/train.py

It prints the loss. The data are cut into as many parts whatever the number of ranks is, and what
they give is added in one order, so that the loss is the same to the last bit.
"""

import json
import os
import random
import socket
import time

PARTS = 8
EXAMPLES = 800
STEPS = 60
RATE = 0.3
PATIENCE = 30.0


def data(part):
    """The examples of one part, which every process makes alike."""
    dice = random.Random(part)
    rows = []
    for _ in range(EXAMPLES // PARTS):
        x = [dice.uniform(-1.0, 1.0) for _ in range(3)]
        y = 2.0 * x[0] - 3.0 * x[1] + 0.5 * x[2] + 1.0 + dice.gauss(0.0, 0.1)
        rows.append((x, y))
    return rows


def gradient(weights, rows):
    """The sums over some examples of the gradient, and of the squared error at the end."""
    sums = [0.0] * (len(weights) + 1)
    for x, y in rows:
        error = sum(w * v for w, v in zip(weights, x)) + weights[-1] - y
        for place, value in enumerate(x):
            sums[place] += error * value
        sums[len(weights) - 1] += error
        sums[-1] += error * error
    return sums


class Alone:
    """One process: what it has is all there is."""

    def gather(self, parts):
        return parts

    def close(self):
        pass


class Group:
    """Ranks around rank 0, which hears from all and tells all."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size
        place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
        if rank == 0:
            with socket.create_server(place) as door:
                door.settimeout(PATIENCE)
                self.others = {}
                while len(self.others) < size - 1:
                    stream = door.accept()[0].makefile("rw", encoding="utf-8")
                    self.others[json.loads(stream.readline())] = stream
        else:
            stream = connect(place).makefile("rw", encoding="utf-8")
            self.others = {0: stream}
            say(stream, rank)

    def gather(self, parts):
        """What all ranks have, in the order of the ranks, at every rank."""
        if self.rank > 0:
            say(self.others[0], parts)
            return hear(self.others[0])
        whole = list(parts)
        for rank in range(1, self.size):
            whole.extend(hear(self.others[rank]))
        for rank in range(1, self.size):
            say(self.others[rank], whole)
        return whole

    def close(self):
        for stream in self.others.values():
            stream.close()


def connect(place):
    """A connection to rank 0, which may not listen yet."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(place, timeout=PATIENCE)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def say(stream, what):
    # JSON writes a float such that the same one is read.
    stream.write(json.dumps(what) + "\n")
    stream.flush()


def hear(stream):
    line = stream.readline()
    if not line:
        raise ConnectionError("another rank has gone")
    return json.loads(line)


def main():
    rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if PARTS % size:
        raise SystemExit(f"{PARTS} parts cannot be shared out to {size} ranks")
    each = PARTS // size
    rows = [data(part) for part in range(rank * each, (rank + 1) * each)]
    group = Group(rank, size) if size > 1 else Alone()
    weights, loss = [0.0] * 4, 0.0
    for _ in range(STEPS):
        whole = group.gather([gradient(weights, part) for part in rows])
        sums = [sum(column) for column in zip(*whole)]
        weights = [w - RATE * s / EXAMPLES for w, s in zip(weights, sums)]
        loss = sums[-1] / EXAMPLES
    group.close()
    print(repr(loss))


if __name__ == "__main__":
    main()
