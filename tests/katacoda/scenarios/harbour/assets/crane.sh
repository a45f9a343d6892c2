#!/bin/bash
echo "crane at berth $1"
