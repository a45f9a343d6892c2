"""`python -m simulator etcd`: simulated members behind real ports, for the real `etcdctl` and other clients."""
