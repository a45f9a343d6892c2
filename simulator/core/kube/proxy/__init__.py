"""kube-proxy: Services become rules of each host's network (`Network.rules`)."""
