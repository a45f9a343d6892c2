"""kube-controller-manager: one module a controller, listed in `table.py`; the daemon is `program.py`."""
