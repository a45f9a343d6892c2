"""What kubeadm makes: certificates, kubeconfigs, static pod manifests, add-ons (cmd/kubeadm/app/phases)."""
