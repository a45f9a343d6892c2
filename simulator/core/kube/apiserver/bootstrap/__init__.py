"""What an API server puts into an empty etcd at its start: namespaces, its own Service, RBAC, priorities, API services."""
