"""Images for containers: pull policy, pulling, back-off (`pkg/kubelet/images/image_manager.go`)."""

from __future__ import annotations

from typing import Any

from ...kernel import clock
from ...kernel.errors import BadInput
from ...runtime import cri, references
from ...runtime import images as builds
from ...runtime.state import Pull, runtime
from .context import Kubelet
from .state import PodState, Track
from .units import duration, pull_policy

Obj = dict[str, Any]
FIRST, LONGEST = 10 * clock.SECOND, 300 * clock.SECOND


class ImageError(Exception):
    """The image is not there; `reason` is the container's waiting reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def ensure(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> bool:
    """True when the image is there, False while it is being pulled; raises ImageError (and ConnectError)."""
    world, host = kubelet.world, kubelet.proc.host
    image = str(container.get("image") or "")
    name = container["name"]
    if track.pull:
        return _finish(kubelet, pod, container, track)
    if track.image_id:
        return True
    try:
        references.normalise(image)
    except BadInput as bad:
        text = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {bad}'
        kubelet.pod_event(pod, "Warning", "InspectFailed", text, name)
        raise ImageError("InvalidImageName", text) from bad
    policy = pull_policy(container)
    present = cri.image_status(world, host, image)
    if policy != "Always" and present is not None:
        kubelet.pod_event(
            pod, "Normal", "Pulled", f'Container image "{image}" already present on machine and can be accessed by the pod', name
        )
        track.image_id = present.image_id
        return True
    if policy == "Never":
        text = f'Container image "{image}" is not present with pull policy of Never'
        kubelet.pod_event(pod, "Warning", "ErrImageNeverPull", text, name)
        raise ImageError("ErrImageNeverPull", text)
    if track.image_backoff and world.now - track.image_failed < track.image_backoff:
        text = f'Back-off pulling image "{image}"'
        kubelet.pod_event(pod, "Normal", "BackOff", text, name)
        raise ImageError("ImagePullBackOff", f"{text}: {track.image_error}" if track.image_error else text)
    kubelet.pod_event(pod, "Normal", "Pulling", f'Pulling image "{image}"', name)
    pull = cri.pull_image(world, host, image)
    track.pull, track.pull_from = pull.id, world.now
    return False


def _finish(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> bool:
    world, host = kubelet.world, kubelet.proc.host
    image = str(container["image"])
    pull: Pull | None = runtime(world, host).pulls.get(track.pull)
    if pull is not None and not pull.done:
        return False
    error = pull.error if pull is not None else "error reading from server: EOF"
    code = pull.code if pull is not None else "Unavailable"
    began, track.pull = track.pull_from, ""
    if not error:
        assert pull is not None
        build = builds.find(world, pull.build)
        took = duration(pull.ends - pull.started)
        waited = duration(world.now - began)
        text = f'Successfully pulled image "{image}" in {took} ({waited} including waiting). Image size: {build.size} bytes.'
        kubelet.pod_event(pod, "Normal", "Pulled", text, container["name"])
        track.image_id = build.digest("config")
        track.image_backoff, track.image_error = 0, ""
        return True
    text = f"rpc error: code = {code} desc = {error}"
    kubelet.pod_event(pod, "Warning", "Failed", f'Failed to pull image "{image}": {text}', container["name"])
    expired = world.now - track.image_failed > 2 * LONGEST
    track.image_backoff = FIRST if not track.image_backoff or expired else min(track.image_backoff * 2, LONGEST)
    track.image_failed = world.now
    track.image_error = f"ErrImagePull: {text}"
    raise ImageError("ErrImagePull", text)
