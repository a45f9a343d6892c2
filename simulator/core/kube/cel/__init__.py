"""The Common Expression Language as Kubernetes speaks it: rules of custom resources and of admission policies.

`syntax` parses, `check` finds types, `evaluate` computes, `library` and `kinds` hold the functions.  An expression is compiled once and
run on plain JSON values.  Every run has a budget of steps; nothing else can make it long.
"""
