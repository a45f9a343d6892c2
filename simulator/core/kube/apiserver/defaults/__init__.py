"""Defaulting: exactly what v1.36 puts into objects that leave a field out (`pkg/apis/*/v1/defaults.go`), one file a group."""
