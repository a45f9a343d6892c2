"""Building kustomizations (kustomize v5: `api/internal/target`, `api/filters`).

resources and components (files and directories), generators of config maps and secrets with name hashes, patches (strategic merge and
JSON; inline, files, targets), namespace, namePrefix, nameSuffix, labels, commonLabels, commonAnnotations, images, replicas, replacements
and sortOptions.  Names that changed are followed in the objects that refer to them, when all else is done.  Other fields (vars, Helm
charts, plugins) say that they are not simulated.
"""

from .target import build

__all__ = ["build"]
