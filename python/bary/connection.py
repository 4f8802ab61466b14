"""Where the node is, how to speak to it, and how to start one where none is named."""

import os
import shutil
import subprocess
import tempfile
import threading

import grpc

from bary.v1 import node_pb2_grpc

_OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
]


class NodeError(RuntimeError):
    """The node could not be started or reached, or refused what was asked."""


def channel(address):
    """A channel to `HOST:PORT`, or to `unix:PATH`."""
    options = list(_OPTIONS)
    if address.startswith("unix:"):
        # A path is no host, and would be refused as one.
        options.append(("grpc.default_authority", "localhost"))
    return grpc.insecure_channel(address, options=options)


def metadata(token, home=None):
    """What each call carries: the token, where there is one, and the member that is meant, where it
    is another than the one that is asked."""
    carried = [("authorization", f"Bearer {token}")] if token else []
    return carried + ([("bary-home", home)] if home else [])


def node(channel):
    """The calls of a node."""
    return node_pb2_grpc.NodeStub(channel)


def named():
    """The address and token that the environment names; None where it names none."""
    address = os.environ.get("BARY_ADDR")
    token = os.environ.get("BARY_TOKEN")
    path = os.environ.get("BARY_TOKEN_FILE")
    if token is None and path:
        with open(path, encoding="ascii") as file:
            token = file.read().strip()
    return address, token


class OwnNode:
    """A node in memory that lives as long as this object."""

    def __init__(self):
        program = os.environ.get("BARY_PROGRAM") or shutil.which("bary")
        if program is None:
            raise NodeError(
                "there is no program `bary`; install it, set BARY_PROGRAM to its path, "
                "or name a node: Executor(address=...) or BARY_ADDR"
            )
        self._folder = tempfile.mkdtemp(prefix="bary-")
        socket = os.path.join(self._folder, "bary.sock")
        self.address = f"unix:{socket}"
        # The node ends when its input does, so that it never outlives this process.
        self._process = subprocess.Popen(
            [program, "dev", "--socket", socket, "--no-listen", "--until-eof"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        said = self._process.stderr.readline().decode(errors="replace").strip()
        if not os.path.exists(socket):
            self.close()
            raise NodeError(f"`{program} dev` did not start: {said}")
        # A pipe that nobody reads would hold the node back.
        threading.Thread(target=self._drain, name="bary-log", daemon=True).start()

    def _drain(self):
        with self._process.stderr as log:
            for _ in log:
                pass

    def watch(self, on_end):
        """The stream of calls tells by itself when the node has gone."""

    def close(self):
        """Ends the node."""
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
