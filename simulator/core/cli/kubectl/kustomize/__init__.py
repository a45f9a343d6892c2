"""Building kustomizations (kustomize v5: `api/internal/target`, `api/filters`).

resources and components (files and directories), generators, transformers in kustomize's order, the plug-ins that it has built in
(`generators`, `transformers`, `validators`; inline or in files), vars, configurations, crds, openapi, buildMetadata and sortOptions.
Names that changed are followed in the objects that refer to them, when all else is done.  Programs as plug-ins and Helm charts are
refused as kubectl refuses them; `--enable-helm` says that it is not simulated.
"""

from .target import build

__all__ = ["build"]
