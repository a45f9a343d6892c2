#!/bin/bash
echo quay
