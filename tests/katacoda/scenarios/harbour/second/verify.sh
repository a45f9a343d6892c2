#!/bin/bash
set -e
kubectl -n harbour wait --for=condition=Ready pod/reader --timeout=60s
kubectl -n harbour logs reader | grep -qx closed
