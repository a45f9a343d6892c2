"""etcd: the MVCC store, the member process, and the client that the API server holds."""
