"""The container runtime of a host: images, containers, pod sandboxes, the daemon `containerd`, its CRI, and image programs."""
