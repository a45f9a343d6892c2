"""LTI 1.3 Advantage: Slipway as a tool of learning platforms."""
