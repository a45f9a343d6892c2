"""The simulated cluster: a pure core (`simulator.core`) and the thin Django shell around it."""
