"""Stand-ins for add-ons of clusters: the manifests that their projects publish."""
