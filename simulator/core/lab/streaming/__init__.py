"""Commands and connections of clients outside the world: exec, attach and port-forward (`kubelet/pkg/cri/streaming`).

The API server answers such a request with 101 and a target (`kubelet/server.py`); from there on a `Session` takes operations of the
client and has items for it.  Operations are plain data, so on the site they are journal rows like any other input; how they travel
between the client and here is the gateway's matter (`simulator/gateway`).
"""
