"""What Docker's engine and nerdctl do with containerd: names, networks, volumes, restarts, health, builds (moby `daemon/`, nerdctl `pkg/`).

An engine belongs to one containerd namespace of one host: `moby` is dockerd's, any other one is nerdctl's.  Its records are in
`RuntimeState.engines`; containers and images are containerd's own, except that dockerd keeps its images itself, in the
space `~docker` that containerd does not list.
"""
