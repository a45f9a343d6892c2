"""What everybody who speaks the Kubernetes API shares: kinds, Status errors, quantities, selectors, patches, schema, printers."""
