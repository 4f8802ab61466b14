"""The messages of a node's public contract, generated from proto/bary/v1/node.proto."""
