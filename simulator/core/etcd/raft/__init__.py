"""Raft as plain data and functions: `state` (what a node is), `log`, `node` (elections, replication, reads), `leader`, `confchange`."""
