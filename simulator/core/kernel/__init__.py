"""The lowest layer: virtual time, timers, randomness, trace, network and snapshots."""
