"""The runtime's entries of the literal tables that the façade installs (see docs/seams.md)."""

from __future__ import annotations

from ..host.program import Program
from . import logs
from .containerd import Containerd
from .containers import SHIM, ShimProgram
from .engine.dockerd import Dockerd
from .programs.table import PROGRAMS as IMAGE_PROGRAMS
from .shims import CriDockerd

#: To be merged into `tables["programs"]`.
PROGRAMS: dict[str, Program] = {
    "containerd": Containerd(),
    "dockerd": Dockerd(),
    "cri-dockerd": CriDockerd(),
    SHIM: ShimProgram(),
    **IMAGE_PROGRAMS,
}
#: To be merged into `tables["sinks"]`.
SINKS = {"cri": logs.sink}
