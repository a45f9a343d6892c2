"""The kubelet: registers its node, runs pods from files and from the API through the CRI, probes them and reports their status."""
