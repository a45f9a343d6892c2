"""What `etcd --help` prints: the flags of releases 3.6 and 3.4 with their defaults, in the real sections, order and layout.

Names, defaults, sections and order are facts of the tool (server/etcdmain/help.go); what is said of them is said in our own words.
`flags.py` takes from here which flags exist.
"""

from __future__ import annotations

from typing import NamedTuple

#: What comes before the flags, and after a flag that cannot be read.
USAGE = """\
Usage:

  etcd [flags]
    Run a member.

  etcd --version
    Print the release and how it was built.

  etcd -h | --help
    Print this text.

  etcd --config-file
    Take all settings from this YAML file; other flags and ETCD_* variables then count for nothing.

  etcd gateway
    Pass TCP connections on to members, unread.

  etcd grpc-proxy
    Stand between clients and members and combine their watches and leases.
"""

#: A section is headed `[title]`.  A row is a flag, its default as 3.6 prints it, as 3.4 does (`=`: the same; `-`: not in that release;
#: nothing: printed without a default) and what it does; an indented line goes on.  A row without words is an old name: see `_words`.
_TABLE = """
[Member]
name | 'default' | = | What this member is called; its own entry in --initial-cluster has this name.
data-dir | '${name}.etcd' | = | Where the member keeps everything it has to remember.
wal-dir | '' | = | Keep the write-ahead log here, on a disk of its own, and not below --data-dir.
snapshot-count | '10000' | '100000' | After so many applied entries the raft log is snapshotted and cut.
heartbeat-interval | '100' | = | Milliseconds between a leader's heartbeats.
election-timeout | '1000' | = | A follower that hears nothing for so many milliseconds stands for election. At least five heartbeats.
initial-election-tick-advance | 'true' | = | Begin with the election clock nearly run down, so that a new cluster has a leader sooner.
listen-peer-urls | 'http://localhost:2380' | = | Where the other members reach this one (comma-separated).
listen-client-urls | 'http://localhost:2379' | = | Where clients reach it: gRPC, and HTTP on the same port.
listen-client-http-urls | '' | - | Serve clients' HTTP here; --listen-client-urls is then left to gRPC.
max-snapshots | '5' | = | Keep so many files of snapshots, 0 for all.
max-wals | '5' | = | Keep so many files of the write-ahead log, 0 for all.
memory-mlock | | - | Lock the process into memory: its database is never swapped out.
quota-backend-bytes | '0' | = | A database that outgrows this many bytes raises NOSPACE and takes no more writes; 0 stands for 2 GiB.
backend-bbolt-freelist-type | 'map' | - | How bbolt remembers its free pages: array or map.
backend-batch-interval | '' | = | Commit to the database after this time at the latest.
backend-batch-limit | '0' | = | Commit to the database after this many operations at the latest.
max-txn-ops | '128' | = | The most operations that one transaction may hold.
max-request-bytes | '1572864' | = | Requests longer than this are refused.
max-concurrent-streams | 'math.MaxUint32' | = | The most gRPC streams that one client may have open.
grpc-keepalive-min-time | '5s' | = | Clients that ping more often than this are cut off.
grpc-keepalive-interval | '2h' | = | Ping an idle client this often, 0 for never.
grpc-keepalive-timeout | '20s' | = | A client that leaves a ping unanswered this long is dropped, 0 for never.
socket-reuse-port | 'false' | - | Listen with SO_REUSEPORT: several processes may share the port.
socket-reuse-address | 'false' | - | Listen with SO_REUSEADDR: a port whose last connections linger in TIME_WAIT will do.
enable-grpc-gateway | | - | Offer the gRPC API as JSON over HTTP too.
raft-read-timeout | '5s' | - | Give up a connection between peers that brings nothing to read for this long.
raft-write-timeout | '5s' | - | Give up a connection between peers that takes nothing for this long.
feature-gates | '' | - | Switch features on and off (NAME=true,OTHER=false). This release has:
    AllAlpha=true|false (ALPHA - default=false)
    AllBeta=true|false (BETA - default=false)
    CompactHashCheck=true|false (ALPHA - default=false)
    InitialCorruptCheck=true|false (ALPHA - default=false)
    LeaseCheckpoint=true|false (ALPHA - default=false)
    LeaseCheckpointPersist=true|false (ALPHA - default=false)
    SetMemberLocalAddr=true|false (ALPHA - default=false)
    StopGRPCServiceOnDefrag=true|false (ALPHA - default=false)
    TxnModeWriteWithSharedBuffer=true|false (BETA - default=true)

[Clustering]
initial-advertise-peer-urls | 'http://localhost:2380' | = | The addresses under which the others are told to find this member.
initial-cluster | 'default=http://localhost:2380' | = | All first members as NAME=PEER-URL,...; read only while the data directory is empty.
initial-cluster-state | 'new' | = | 'new' founds a cluster, 'existing' joins one (after `etcdctl member add`).
    Once the member has data it no longer matters.
initial-cluster-token | 'etcd-cluster' | = | Goes into the ids of the cluster and its members.
    With a token each, clusters with the same addresses cannot be taken for one another.
advertise-client-urls | 'http://localhost:2379' | = | The addresses that `member list` names to clients.
    Name what clients can reach: they may connect to whatever stands here.
discovery | '' | = | Find the first members by this URL of a discovery service (its v2 protocol).
discovery-token | '' | - | v3 discovery: which cluster is being founded.
discovery-endpoints | '' | - | v3 discovery: the etcd that keeps the list of members.
discovery-dial-timeout | '2s' | - | v3 discovery: how long to try to connect.
discovery-request-timeout | '5s' | - | v3 discovery: how long a request may take once connected.
discovery-keepalive-time | '2s' | - | v3 discovery: how often to ping.
discovery-keepalive-timeout | '6s' | - | v3 discovery: how long to wait for a ping's answer.
discovery-insecure-transport | 'true' | - | v3 discovery: connect without TLS.
discovery-insecure-skip-tls-verify | 'false' | - | v3 discovery: believe any certificate. For experiments only.
discovery-cert | '' | - | v3 discovery: certificate to show.
discovery-key | '' | - | v3 discovery: its private key.
discovery-cacert | '' | - | v3 discovery: authorities that the service's certificate may come from.
discovery-user | '' | - | v3 discovery: user, or user:password.
discovery-password | '' | - | v3 discovery: the password, where --discovery-user has none.
discovery-fallback | 'exit' | 'proxy' | Where discovery leads nowhere: 'exit', or in old releases 'proxy' (to become a proxy of the v2 API).
discovery-proxy | '' | = | Reach the v2 discovery service through this HTTP proxy.
discovery-srv | '' | = | Find the first members by the SRV records of this domain.
discovery-srv-name | '' | = | Ask for SRV records whose service ends in this name.
strict-reconfig-check | 'true' | = | Refuse changes of members that would leave too few of them running for a quorum.
pre-vote | 'true' | 'false' | Ask whether an election could be won before starting one, so that a member that was cut off unseats no leader.
auto-compaction-retention | '0' | = | How much history to keep when compacting unasked; 0 never compacts.
auto-compaction-mode | 'periodic' | = | What the retention counts: 'periodic' time (a bare number is hours), 'revision' revisions.
v2-deprecation | 'write-only' | - | How far the old v2 store has gone. Has no effect: the default always holds, and v3.8 drops the flag.
    The stages:
      'not-yet'                // v3.5: data in it is only warned of
      'write-only'             // v3.6: data of users in it is refused
      'write-only-skip-check'  // as write-only, without looking for such data first; read the notes on upgrading before
      'write-only-drop-data'   // planned for v3.7: such data is deleted
      'gone'                   // planned for v3.8: there is no such store
enable-v2 | - | 'false' | Serve the v2 API beside v3.

[Security]
cert-file | '' | = | The certificate that clients are shown.
key-file | '' | = | Its private key.
client-cert-auth | 'false' | = | Let in only clients with a certificate from --trusted-ca-file.
client-cert-file | '' | - | Certificate for the member's own calls as a client, in place of --cert-file.
client-key-file | '' | - | Its private key.
client-crl-file | '' | = | Certificates of clients that have been revoked.
client-cert-allowed-hostname | '' | = | Let in only clients whose certificate names one of these hosts.
trusted-ca-file | '' | = | The authorities that sign clients' certificates.
auto-tls | 'false' | = | TLS for clients with a certificate that the member makes for itself.
peer-cert-file | '' | = | The certificate that the other members are shown.
peer-key-file | '' | = | Its private key.
peer-client-cert-auth | 'false' | = | Let in only peers with a certificate from --peer-trusted-ca-file.
peer-client-cert-file | '' | - | Certificate for calls to other members, in place of --peer-cert-file.
peer-client-key-file | '' | - | Its private key.
peer-trusted-ca-file | '' | = | The authorities that sign peers' certificates.
peer-cert-allowed-cn | '' | = | Let in only peers whose certificate has this common name.
peer-cert-allowed-hostname | '' | = | Let in only peers whose certificate names this host.
peer-auto-tls | 'false' | = | TLS among members with certificates that they make for themselves, where none are given.
self-signed-cert-validity | '1' | - | Years for which such self-made certificates are good.
peer-crl-file | '' | = | Certificates of peers that have been revoked.
cipher-suites | '' | = | The TLS cipher suites to offer (comma-separated); Go's own choice where none are named.
cors | '*' | = | Web pages of these origins may call the HTTP API; * is every one.
host-whitelist | '*' | = | Without TLS, answer only HTTP requests for these host names; * is every one.
tls-min-version | 'TLS1.2' | - | The oldest TLS to accept: TLS1.2 or TLS1.3.
tls-max-version | '' | - | The newest TLS to offer: TLS1.2 or TLS1.3; Go's newest where empty.

[Auth]
auth-token | 'simple' | = | What a login is answered with: a 'simple' token that members remember, or a signed 'jwt' and its options.
bcrypt-cost | 10 | = | How costly hashing a password is, from 4 to 31.
auth-token-ttl | 300 | = | Seconds after which an unused simple token is void.

[Profiling and Monitoring]
enable-pprof | 'false' | = | Serve Go's profiles below /debug/pprof/ on the client port.
metrics | 'basic' | = | How much is measured; 'extensive' adds histograms of gRPC calls.
listen-metrics-urls | '' | = | Serve /metrics and /health here as well, with the clients' TLS.

[Logging]
logger | 'zap' | 'capnslog' | Which library writes the log: 'zap' (JSON), or in old releases 'capnslog' (plain lines).
log-outputs | 'default' | = | Where the log goes: 'stdout', 'stderr' or files (comma-separated); by default to journald where systemd runs it.
log-level | 'info' | = | The least that is logged: debug, info, warn, error, panic or fatal.
log-format | 'json' | - | How lines are written: json or console.
enable-log-rotation | 'false' | - | Start a new file when the log's only file is full.
log-rotation-config-json | '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}' | - | When to start a new file (maxsize MB), what old ones to keep (maxage days, maxbackups files; 0 for all), and how.
warning-unary-request-duration | '300ms' | - | Warn of single requests that take longer.

[v2 Proxy (to be deprecated in v4)]
proxy | - | 'off' | Be no member but a proxy of the v2 API: 'on', 'readonly' or 'off'.
proxy-failure-wait | - | 5000 | Milliseconds for which a member that failed is not asked again.
proxy-refresh-interval | - | 30000 | Milliseconds between looking up who the members are.
proxy-dial-timeout | - | 1000 | Milliseconds to connect in.
proxy-write-timeout | - | 5000 | Milliseconds to send in.
proxy-read-timeout | - | 0 | Milliseconds to receive in; 0 lets watches wait.

[Experimental distributed tracing]
experimental-enable-distributed-tracing | 'false' | - |
enable-distributed-tracing | 'false' | - | Send OpenTelemetry traces of requests.
experimental-distributed-tracing-address | 'localhost:4317' | - |
distributed-tracing-address | 'localhost:4317' | - | The collector that takes them.
experimental-distributed-tracing-service-name | 'etcd' | - |
distributed-tracing-service-name | 'etcd' | - | The service they are filed under; one name for all members.
experimental-distributed-tracing-instance-id | '' | - |
distributed-tracing-instance-id | '' | - | Which member they come from; another for each.
experimental-distributed-tracing-sampling-rate | '0' | - |
distributed-tracing-sampling-rate | '0' | - | Of a million spans, send this many.

[Experimental feature]
experimental-initial-corrupt-check | 'false' | = | Compare data with the other members before serving anyone.
experimental-corrupt-check-time | '0s' | = |
corrupt-check-time | '0s' | - | Compare the members' data this often, 0 for never.
experimental-enable-v2v3 | - | '' | Keep the keys of the v2 API in the v3 store, below this prefix.
experimental-backend-bbolt-freelist-type | - | 'array' | How bbolt remembers its free pages: array or map.
experimental-compact-hash-check-enabled | 'false' | - | The leader compares hashes of followers' history, taken at compactions.
experimental-compact-hash-check-time | '1m' | - |
compact-hash-check-time | '1m' | - | How often the leader compares these hashes.
experimental-enable-lease-checkpoint | 'false' | = | Replicate what is left of long leases, so that a new leader does not begin their time anew.
experimental-compaction-batch-limit | 1000 | = |
compaction-batch-limit | 1000 | - | Compaction removes this many revisions at a time.
experimental-peer-skip-client-san-verification | 'false' | = |
peer-skip-client-san-verification | 'false' | - | Do not hold a peer's address against the names in its certificate.
experimental-watch-progress-notify-interval | '10m' | = |
watch-progress-notify-interval | '10m' | - | Tell quiet watches that want it the current revision this often.
experimental-warning-apply-duration | '100ms' | = |
warning-apply-duration | '100ms' | - | Warn of entries that take longer to apply.
experimental-txn-mode-write-with-shared-buffer | 'true' | - | Read within writing transactions from the shared buffer, without a copy.
experimental-bootstrap-defrag-threshold-megabytes | | - |
bootstrap-defrag-threshold-megabytes | | - | Defragment at the start where that frees this much; 0 leaves it.
experimental-warning-unary-request-duration | '300ms' | - |
max-learners | '1' | - | The most learners that the cluster may have at a time.
experimental-compaction-sleep-interval | | - |
compaction-sleep-interval | | - | Compaction rests this long between two batches.
experimental-downgrade-check-time | | - |
downgrade-check-time | | - | Look this often whether a downgrade is done.
experimental-enable-lease-checkpoint-persist | 'false' | - | Write what is left of leases to disk as well; for clusters of v3.5 that had it on. Needs lease checkpoints.
experimental-memory-mlock | | - |
experimental-snapshot-catchup-entries | | - |
snapshot-catchup-entries | | - | Entries that stay in the raft log behind a snapshot for followers that are late.
experimental-stop-grpc-service-on-defrag | | - | Turn clients away while the member defragments.

[Unsafe feature]
force-new-cluster | 'false' | = | Start from this member's data as a cluster of one, forgetting all others.
unsafe-no-fsync | 'false' | - | Do not wait for the disk. A crash loses data.

[TO BE DEPRECATED]
debug | - | 'false' | Old name of --log-level=debug, until v3.5.
log-package-levels | - | '' | Levels for single packages of capnslog ('etcdserver=DEBUG,raft=INFO').
"""

#: Feature gates that took the place of flags in 3.6; other old names only lost their `experimental-`.
_GATES = {
    "experimental-initial-corrupt-check": "InitialCorruptCheck",
    "experimental-compact-hash-check-enabled": "CompactHashCheck",
    "experimental-enable-lease-checkpoint": "LeaseCheckpoint",
    "experimental-txn-mode-write-with-shared-buffer": "TxnModeWriteWithSharedBuffer",
    "experimental-enable-lease-checkpoint-persist": "LeaseCheckpointPersist",
    "experimental-stop-grpc-service-on-defrag": "StopGRPCServiceOnDefrag",
}
_UNSAFE = "\nWARNING: after an unsafe flag, what consensus promises no longer holds: acknowledged writes may be gone.\n"
_LATEST, _OLD = 0, 1


class Listed(NamedTuple):
    """A flag: its section, its default as each release prints it (None where the release has no such flag) and its lines of words."""

    section: str
    name: str
    defaults: tuple[str | None, str | None]
    words: list[str]


def _read(table: str) -> list[Listed]:
    section, rows = "", list[Listed]()
    for line in filter(None, table.split("\n")):
        if line.startswith("["):
            section = line[1:-1]
        elif line.startswith(" "):
            rows[-1].words.append(line[4:])
        else:
            name, new, old, words = (cell.strip() for cell in line.split("|", 3))
            latest = None if new == "-" else new
            rows.append(Listed(section, name, (latest, latest if old == "=" else None if old == "-" else old), [words]))
    return rows


_FLAGS = {row.name: row for row in _read(_TABLE)}


def _words(row: Listed, release: int) -> list[str]:
    """What is said of a flag; of an `experimental-` one what is said of the flag it became, and from 3.6 which that is."""
    if not row.name.startswith("experimental-"):
        return row.words
    became = row.name.removeprefix("experimental-")
    text = row.words[0] or _FLAGS[became].words[0]
    if release == _OLD:
        return [text]
    instead = f"--feature-gates={_GATES[row.name]}=true" if row.name in _GATES else f"--{became}"
    return [f"{text} Deprecated since v3.6, gone in v3.7: now '{instead}'."]


def _rendered(release: int) -> str:
    out, section = "", ""
    for row in _FLAGS.values():
        default = row.defaults[release]
        if default is None:
            continue
        if row.section != section:
            section = row.section
            # the last section of 3.4 stands behind the warning, with an empty line below its title
            out += f"{_UNSAFE}\n{section}:\n\n" if section == "TO BE DEPRECATED" else f"\n{section}:\n"
        out += f"  --{row.name} {default}".rstrip() + "\n" + "".join(f"    {line}\n" for line in _words(row, release))
    return out if release == _OLD else out + _UNSAFE


def flags_text(version: str) -> str:
    """The list of flags of a release: 3.6's from there on, 3.4's before; 3.5 lists something between them, shown as 3.6's."""
    return _rendered(_OLD if version.startswith(("3.3.", "3.4.")) else _LATEST)


def names(version: str) -> frozenset[str]:
    """The flags that a release lists; releases before 3.6 are allowed those of 3.4 and of 3.6."""
    return frozenset(name for name, row in _FLAGS.items() if version < "3.6" or row.defaults[_LATEST] is not None)
