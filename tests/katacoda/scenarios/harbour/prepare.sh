#!/bin/bash
kubectl create namespace harbour
sleep 3
touch /tmp/harbour-ready
