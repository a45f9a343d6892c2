"""Kubernetes: API machinery, API server, controllers, scheduler, kubelet, proxy, kubeadm; see docs/architecture.md."""
