"""The default plugins of kube-scheduler v1.36, one module each; `scheduler/table.py` lists them with their weights."""
