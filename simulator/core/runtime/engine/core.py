"""An engine's place on a host: its records, directories, events, and how names and ids are found."""

from __future__ import annotations

from ...kernel.world import World
from ..state import Container, Engine, EngineEvent, Namespace, Network, namespace, runtime

MOBY = "moby"
#: dockerd's own image store (`/var/lib/docker/image/overlay2`); not a namespace of containerd.
DOCKER_IMAGES = "~docker"
NERDCTL = "/var/lib/nerdctl/1935db59"
#: How many past events dockerd can tell.
EVENTS = 256

_LEFT = (
    "admiring adoring agitated amazing angry awesome blissful bold boring brave busy charming clever cool compassionate competent "
    "confident cranky dazzling determined distracted dreamy eager ecstatic elastic elated elegant eloquent epic exciting fervent "
    "festive flamboyant focused friendly frosty funny gallant gifted goofy gracious great happy hardcore heuristic hopeful hungry "
    "infallible inspiring intelligent interesting jolly jovial keen kind laughing loving lucid magical modest musing mystifying "
    "naughty nervous nice nifty nostalgic objective optimistic peaceful pedantic pensive practical priceless quirky quizzical "
    "recursing relaxed reverent romantic sad serene sharp silly sleepy stoic strange stupefied suspicious sweet tender thirsty "
    "trusting unruffled upbeat vibrant vigilant vigorous wizardly wonderful xenodochial youthful zealous zen"
).split()
_RIGHT = (
    "agnesi albattani allen archimedes ardinghelli babbage banach bardeen bell bhabha bohr booth borg bose bouman boyd brown "
    "carson carver cerf chandrasekhar chaplygin chatelet cori cray curie curran darwin davinci dijkstra dubinsky easley edison "
    "einstein elion engelbart euclid euler faraday feistel fermat fermi feynman franklin gagarin galileo galois gates gauss "
    "germain goldberg goldstine goodall gould hamilton haslett hawking heisenberg hertz hodgkin hoover hopper hugle hypatia "
    "jackson jang jepsen johnson joliot jones kalam kapitsa keldysh keller kepler khayyam khorana kilby kirch knuth lalande "
    "lamarr lamport leakey leavitt lichterman lovelace lumiere mahavira margulis matsumoto maxwell mayer mccarthy mcclintock "
    "mclean mendel mendeleev meitner mestorf mirzakhani moore morse murdock napier nash neumann newton nightingale nobel noether "
    "northcutt noyce panini pare pascal pasteur payne perlman pike poincare poitras proskuriakova ptolemy raman ramanujan rhodes "
    "ride ritchie robinson roentgen rosalind rubin saha sammet shamir shannon shaw shirley shockley sinoussi snyder solomon "
    "spence stonebraker sutherland swanson swartz swirles tesla tharp thompson torvalds tu turing varahamihira vaughan villani "
    "visvesvaraya volhard wescoff wiles williams williamson wilson wing wozniak wright yalow yonath zhukovsky"
).split()


class EngineError(Exception):
    """What the engine answers to a request that it refuses; `status` is dockerd's HTTP status."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.status = status


def is_docker(space: str) -> bool:
    """Whether the namespace is dockerd's."""
    return space == MOBY


def image_space(space: str) -> str:
    """Where an engine keeps its images."""
    return DOCKER_IMAGES if is_docker(space) else space


def data_root(space: str) -> str:
    """The engine's data directory."""
    return "/var/lib/docker" if is_docker(space) else NERDCTL


def volume_path(space: str, name: str) -> str:
    """Where the files of a volume are."""
    if is_docker(space):
        return f"/var/lib/docker/volumes/{name}/_data"
    return f"{NERDCTL}/volumes/{space}/{name}/_data"


def container_dir(space: str, ident: str) -> str:
    """Where the engine keeps a container's log and configuration."""
    return f"/var/lib/docker/containers/{ident}" if is_docker(space) else f"{NERDCTL}/containers/{space}/{ident}"


def engine(world: World, host: str, space: str) -> Engine:
    """The engine's records, made with its default networks on first use."""
    engines = runtime(world, host).engines
    found = engines.get(space)
    if found is None:
        found = engines[space] = Engine()
        rng = world.rng(f"engine/{host}/{space}")
        if is_docker(space):
            subnet = "172.17.0.0/16"
        else:
            from .. import cni

            subnet = cni.bridge_cidr(world, host)
        for name, driver in (("bridge", "bridge"), ("host", "host"), ("none", "null")):
            found.networks[name] = Network(rng.hex(64), name, driver, subnet if name == "bridge" else "", world.wall)
    return found


def containers(world: World, host: str, space: str) -> dict[str, Container]:
    """The containers of an engine by id (not those of pods)."""
    known = runtime(world, host).namespaces.get(space)
    found = {} if known is None else known.containers
    if is_docker(space) and runtime(world, host).shim:
        from .. import shims

        return {**found, **shims.docker_view(world, host)}
    return found


def images(world: World, host: str, space: str) -> Namespace:
    """The images of an engine."""
    return namespace(world, host, image_space(space))


def find(world: World, host: str, space: str, word: str) -> Container:
    """The container of a name, id or unique id prefix; raises EngineError in dockerd's words."""
    known = containers(world, host, space)
    name = word.removeprefix("/")
    if word in known:
        return known[word]
    for container in known.values():
        if container.name == name:
            return container
    found = [known[key] for key in sorted(known) if key.startswith(word)] if word else []
    if len(found) > 1:
        raise EngineError(f"Multiple IDs found with provided prefix: {word}", 400)
    if not found:
        raise EngineError(f"No such container: {word}", 404)
    return found[0]


def random_name(world: World, host: str, space: str) -> str:
    """A free name of an adjective and a scientist (moby `internal/namesgenerator`)."""
    rng = world.rng(f"engine/{host}/{space}")
    taken = {container.name for container in containers(world, host, space).values()}
    while True:
        name = f"{_LEFT[rng.below(len(_LEFT))]}_{_RIGHT[rng.below(len(_RIGHT))]}"
        if name == "boring_wozniak":  # Steve Wozniak is not boring
            continue
        if name not in taken:
            return name


def event(world: World, host: str, space: str, kind: str, action: str, ident: str, attributes: dict[str, str]) -> None:
    """Remember an event and ring `engine:<host>:<space>`."""
    events = engine(world, host, space).events
    events.append(EngineEvent(world.wall, kind, action, ident, attributes))
    if len(events) > EVENTS:
        del events[: len(events) - EVENTS]
    world.ring(f"engine:{host}:{space}")


def container_event(world: World, host: str, container: Container, action: str, **more: str) -> None:
    """An event of a container, with its image, name and labels."""
    if not container.options:
        return
    attributes = {
        **container.labels,
        **more,
        "image": str(container.options.get("ref") or container.image),
        "name": container.name,
    }
    event(world, host, container.namespace, "container", action, container.id, attributes)


def exec_begins(world: World, host: str, container: Container, argv: list[str]) -> str:
    """The two events of a command that begins in a container (moby `daemon/exec.go`); returns its identifier."""
    ident = world.rng(f"exec/{host}").hex(64)
    for action in ("exec_create", "exec_start"):
        container_event(world, host, container, f"{action}: {' '.join(argv)}", execID=ident)
    return ident


def exec_ends(world: World, host: str, container: Container, ident: str, code: int) -> None:
    """The event of its end."""
    container_event(world, host, container, "exec_die", execID=ident, exitCode=str(code))


def volumes_event(world: World, host: str, container: Container, action: str) -> None:
    """`mount` or `unmount` of each volume of a container of Docker's."""
    if not is_docker(container.namespace):
        return
    for mount in container.mounts:
        if mount.kind == "volume" and mount.name:
            more = {} if action == "unmount" else {
                "destination": mount.target, "propagation": "", "read/write": "false" if mount.readonly else "true",
            }  # fmt: skip
            attributes = {"container": container.id, "driver": "local", **more}
            event(world, host, container.namespace, "volume", action, mount.name, attributes)
