"""A worker in plain Python on grpcio: it offers two functions and runs what the node says.

    bary up &
    python3 examples/worker.py 127.0.0.1:9876 ~/.local/state/bary/token &
    bary submit --function square --array 1-10 --wait
"""

import queue
import sys

import grpc

from bary.v1 import node_pb2 as pb
from bary.v1 import node_pb2_grpc as rpc


def square(data, say):
    return str(int(data) ** 2).encode()


def count(data, say):
    """Goes on where the attempt before it ended."""
    step, most = say.kept, int(data)
    while step < most:
        step += 1
        say(pb.FromWorker(progress=pb.Progress(**say.place, progress=step / most)))
        say(pb.FromWorker(checkpoint=pb.Checkpoint(**say.place, step=step)))
    return str(step).encode()


FUNCTIONS = {"square": square, "count": count}


class Say:
    """Sends to the node on behalf of one task."""

    def __init__(self, out, run, position, task):
        self.place, self.kept, self._out = {"run": run, "task": position}, task.checkpoint_step, out

    def __call__(self, message):
        self._out.put(message)


def main(address, token):
    out = queue.SimpleQueue()
    out.put(pb.FromWorker(register=pb.Register(name="plain", functions=sorted(FUNCTIONS))))
    stub = rpc.WorkerStub(grpc.insecure_channel(address))
    headers = [("authorization", f"Bearer {token}")]
    for message in stub.Work(iter(out.get, None), metadata=headers):
        if message.WhichOneof("what") != "run":
            continue
        run, ended = message.run, []
        for position, task in enumerate(run.tasks):
            try:
                say = Say(out, run.run, position, task)
                ended.append(pb.TaskEnded(result=FUNCTIONS[run.function](task.input, say)))
            except Exception as error:
                ended.append(pb.TaskEnded(error=f"{type(error).__name__}: {error}"))
        over = pb.RunEnded(run=run.run, tasks=ended)
        out.put(pb.FromWorker(ended=pb.RunsEnded(runs=[over])))


if __name__ == "__main__":
    main(sys.argv[1], open(sys.argv[2]).read().strip() if len(sys.argv) > 2 else "")
