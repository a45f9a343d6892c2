"""kube-scheduler: `program.py` the daemon, `cycle.py` one pod's way through the plugins of `table.py`, `queue.py` who is next."""
