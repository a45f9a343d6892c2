#!/bin/bash
[ "$(kubectl -n harbour get deployment crane -o jsonpath={.status.readyReplicas})" = 2 ]
