"""The flags of nerdctl's commands: command → one line a flag (see `engine/flagspec.py`)."""

from __future__ import annotations

FLAGS: dict[str, str] = {
    "run": """
--add-host list  Add a custom host-to-IP mapping (host:ip)
--annotation list  Add an annotation to the container (passed through to the OCI runtime)
--attach list  Attach STDIN, STDOUT, or STDERR
--cap-add list  Add Linux capabilities
--cap-drop list  Drop Linux capabilities
--cgroup-parent string  Optional parent cgroup for the container
--cidfile string  Write the container ID to the file
--cosign-key string  Path to the public key file, KMS, URI or Kubernetes Secret for --verify=cosign
--cpu-period int64 =0  Limit CPU CFS (Completely Fair Scheduler) period
--cpu-quota int64 =0  Limit CPU CFS (Completely Fair Scheduler) quota
--cpu-rt-period int64 =0  Limit CPU real-time period in microseconds
--cpu-rt-runtime int64 =0  Limit CPU real-time runtime in microseconds
-c, --cpu-shares int64 =0  CPU shares (relative weight)
--cpus decimal  Number of CPUs
--cpuset-cpus string  CPUs in which to allow execution (0-3, 0,1)
--cpuset-mems string  MEMs in which to allow execution (0-3, 0,1)
-d, --detach  Run container in background and print container ID
--device list  Add a host device to the container
--device-read-bps list  Limit read rate (bytes per second) from a device
--device-read-iops list  Limit read rate (IO per second) from a device
--device-write-bps list  Limit write rate (bytes per second) to a device
--device-write-iops list  Limit write rate (IO per second) to a device
--dns list  Set custom DNS servers
--dns-option list  Set DNS options
--dns-search list  Set custom DNS search domains
--domainname string  Container NIS domain name
--entrypoint string  Overwrite the default ENTRYPOINT of the image
-e, --env list  Set environment variables
--env-file list  Set environment variables from file
--expose list  Expose a port or a range of ports
--gpus string  GPU devices to add to the container ('all' to pass all GPUs)
--group-add list  Add additional groups to join
--health-cmd string  Command to run to check health
--health-interval duration =0s  Time between running the check (ms|s|m|h) (default 0s)
--health-retries int =0  Consecutive failures needed to report unhealthy
--health-start-interval duration =0s  Time between running the check during the start period (ms|s|m|h) (default 0s)
--health-start-period duration =0s  Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)
--health-timeout duration =0s  Maximum time to allow one check to run (ms|s|m|h) (default 0s)
-h, --hostname string  Container host name
--init  Run an init process inside the container, Default to use tini
-i, --interactive  Keep STDIN open even if not attached
--ip ip  IPv4 address (e.g., 172.30.100.104)
--ip6 ip  IPv6 address (e.g., 2001:db8::33)
--ipc string  IPC mode to use
--ipfs-address string  multiaddr of IPFS API (default uses $IPFS_PATH env variable if defined or local directory ~/.ipfs)
--isolation string  Container isolation technology
-l, --label list  Set metadata on container
--label-file list  Read in a line delimited file of labels
--log-driver string  Logging driver for the container
--log-opt list  Log driver options
--mac-address string  MAC address to assign to the container
-m, --memory bytes =0  Memory limit
--memory-reservation bytes =0  Memory soft limit
--memory-swap bytes =0  Swap limit equal to memory plus swap: '-1' to enable unlimited swap
--memory-swappiness int64 =-1  Tune container memory swappiness (0 to 100)
--mount mount  Attach a filesystem mount to the container
--name string  Assign a name to the container
--net strings =[]  Connect a container to a network ("bridge"|"host"|"none"|"container:<container>"|<CNI>)
--network strings =[]  Connect a container to a network ("bridge"|"host"|"none"|"container:<container>"|<CNI>)
--network-alias list  Add network-scoped alias for the container
--no-healthcheck  Disable any container-specified HEALTHCHECK
--oom-kill-disable  Disable OOM Killer
--oom-score-adj int =0  Tune host's OOM preferences (-1000 to 1000)
--pid string  PID namespace to use
--pidfile string  file path to write the task's pid
--pids-limit int64 =0  Tune container pids limit (set -1 for unlimited)
--platform string  Set platform if server is multi-platform capable
--privileged  Give extended privileges to this container
-p, --publish list  Publish a container's port(s) to the host
--pull string =missing  Pull image before running ("always"|"missing"|"never")
-q, --quiet  Suppress the pull output
--read-only  Mount the container's root filesystem as read only
--restart string =no  Restart policy to apply when a container exits (implemented values: "no"|"always|on-failure:n|unless-stopped")
--rm  Automatically remove the container when it exits
--runtime string  Runtime to use for this container
--security-opt list  Security Options
--shm-size bytes =0  Size of /dev/shm
--sig-proxy =true  Proxy received signals to the process
--stop-signal string  Signal to stop the container
--stop-timeout int =0  Timeout (in seconds) to stop a container
--sysctl map =map[]  Sysctl options
--systemd string =false  Allow running systemd in this container (default: false)
--tmpfs list  Mount a tmpfs directory
-t, --tty  Allocate a pseudo-TTY
--ulimit ulimit  Ulimit options
--umask string  Set the umask inside the container. Defaults to 0022
-u, --user string  Username or UID (format: <name|uid>[:<group|gid>])
--userns string  User namespace to use
--uts string  UTS namespace to use
--verify string =none  Verify the image (none|cosign|notation)
-v, --volume list  Bind mount a volume
--volumes-from list  Mount volumes from the specified container(s)
-w, --workdir string  Working directory inside the container
""",
    "exec": """
-d, --detach  Detached mode: run command in the background
-e, --env list  Set environment variables
--env-file list  Set environment variables from file
-i, --interactive  Keep STDIN open even if not attached
--privileged  Give extended privileges to the command
-t, --tty  Allocate a pseudo-TTY
-u, --user string  Username or UID (format: <name|uid>[:<group|gid>])
-w, --workdir string  Working directory inside the container
""",
    "ps": """
-a, --all  Show all containers (default shows just running)
-f, --filter list  Filter matches containers based on given conditions. When specifying the condition 'status', it filters all containers
--format string  Format the output using the given Go template, e.g, '{{json .}}', 'wide'
-n, --last int =-1  Show n last created containers (includes all states)
-l, --latest  Show the latest created container (includes all states)
--no-trunc  Don't truncate output
-q, --quiet  Only display container IDs
-s, --size  Display total file sizes
""",
    "logs": """
--details  Show extra details provided to logs
-f, --follow  Follow log output
--since string  Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
-n, --tail string =all  Number of lines to show from the end of the logs
-t, --timestamps  Show timestamps
--until string  Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
""",
    "start": """
-a, --attach  Attach STDOUT/STDERR and forward signals
--detach-keys string =ctrl-p,ctrl-q  Override the default detach keys
""",
    "stop": """
-s, --signal string  Signal to send to the container
-t, --time int =10  Seconds to wait before sending a SIGKILL
""",
    "kill": """
-s, --signal string =KILL  Signal to send to the container
""",
    "rm": """
-f, --force  Force the removal of a running container (uses SIGKILL)
-v, --volumes  Remove volumes associated with the container
""",
    "stats": """
-a, --all  Show all containers (default shows just running)
--format string  Pretty-print images using a Go template, e.g, '{{json .}}'
--no-stream  Disable streaming stats and only pull the first result
--no-trunc  Do not truncate output
""",
    "cp": """
-L, --follow-link  Always follow symbolic link in SRC_PATH.
""",
    "commit": """
-a, --author string  Author (e.g., "nerdctl contributor <nerdctl-dev@example.com>")
-c, --change list  Apply Dockerfile instruction to the created image (supported directives: [CMD, ENTRYPOINT])
-m, --message string  Commit message
-p, --pause =true  Pause container during commit
""",
    "attach": """
--detach-keys string =ctrl-p,ctrl-q  Override the default detach keys
--no-stdin  Do not attach STDIN
""",
    "export": """
-o, --output string  Write to a file, instead of STDOUT
""",
    "update": """
--blkio-weight uint16 =0  Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)
--cpu-period int64 =0  Limit CPU CFS (Completely Fair Scheduler) period
--cpu-quota int64 =0  Limit CPU CFS (Completely Fair Scheduler) quota
--cpu-rt-period int64 =0  Limit the CPU real-time period in microseconds
--cpu-rt-runtime int64 =0  Limit the CPU real-time runtime in microseconds
-c, --cpu-shares int64 =0  CPU shares (relative weight)
--cpus decimal  Number of CPUs
--cpuset-cpus string  CPUs in which to allow execution (0-3, 0,1)
--cpuset-mems string  MEMs in which to allow execution (0-3, 0,1)
-m, --memory bytes =0  Memory limit
--memory-reservation bytes =0  Memory soft limit
--memory-swap bytes =0  Swap limit equal to memory plus swap: -1 to enable unlimited swap
--pids-limit int64 =0  Tune container pids limit (set -1 for unlimited)
--restart string  Restart policy to apply when a container exits
""",
    "build": """
--add-host list  Add a custom host-to-IP mapping (format: "host:ip")
--build-arg list  Set build-time variables
--build-context list  Additional build contexts (e.g., name=path)
--buildkit-host string  BuildKit address
--cache-from list  External cache sources (eg. user/app:cache, type=local,src=path/to/dir)
--cache-to list  Cache export destinations (eg. user/app:cache, type=local,dest=path/to/dir)
-f, --file string  Name of the Dockerfile
--iidfile string  Write the image ID to the file
--ipfs  Allow pulling base images from IPFS
--label list  Set metadata for an image
--network string =default  Set type of network for build (format:network=default|none|host)
--no-cache  Do not use cache when building the image
-o, --output string  Output destination (format: type=local,dest=path)
--platform strings  Set target platform for build (e.g., "amd64", "arm64")
--progress string =auto  Set type of progress output (auto, plain, tty). Use plain to show container output
--pull  On true, always attempt to pull latest image version from remote. Default uses buildkit's default.
-q, --quiet  Suppress the build output and print image ID on success
--rm =true  Remove intermediate containers after a successful build
--secret list  Secret file to expose to the build: id=mysecret,src=/local/secret
--ssh list  SSH agent socket or keys to expose to the build (format: default|<id>[=<socket>|<key>[,<key>]])
-t, --tag list  Name and optionally a tag in the 'name:tag' format
--target string  Set the target build stage to build
""",
    "images": """
-a, --all =true  (unimplemented yet, always true)
--digests  Show digests (compatible with Docker, unlike ID)
-f, --filter list  Filter output based on conditions provided
--format string  Format the output using the given Go template, e.g, '{{json .}}', 'wide'
--names  Show image names
--no-trunc  Don't truncate output
-q, --quiet  Only show numeric IDs
""",
    "pull": """
--all-platforms  Pull content for all platforms
--cosign-certificate-identity string  The identity expected in a valid Fulcio certificate for --verify=cosign
--cosign-key string  Path to the public key file, KMS, URI or Kubernetes Secret for --verify=cosign
--ipfs-address string  multiaddr of IPFS API (default uses $IPFS_PATH env variable if defined or local directory ~/.ipfs)
--platform strings  Pull content for a specific platform
-q, --quiet  Suppress verbose output
--unpack string =auto  Unpack the image for the current single platform (auto/true/false)
--verify string =none  Verify the image (none|cosign|notation)
""",
    "push": """
--all-platforms  Push content for all platforms
--allow-nondistributable-artifacts  Allow pushing images with non-distributable blobs
--cosign-key string  Path to the private key file, KMS URI or Kubernetes Secret for --sign=cosign
--estargz  Convert the image into eStargz
--ipfs-address string  multiaddr of IPFS API (default uses $IPFS_PATH env variable if defined or local directory ~/.ipfs)
--ipfs-ensure-image =true  Ensure the entire contents of the image is locally available before push
--platform strings  Push content for a specific platform
-q, --quiet  Suppress verbose output
--sign string =none  Sign the image (none|cosign|notation)
""",
    "load": """
--all-platforms  Import content for all platforms
-i, --input string  Read from tar archive file, instead of STDIN
--platform strings  Import content for a specific platform
-q, --quiet  Suppress the load output
""",
    "save": """
--all-platforms  Export content for all platforms
-o, --output string  Write to a file, instead of STDOUT
--platform strings  Export content for a specific platform
""",
    "rmi": """
--async  Asynchronous mode
-f, --force  Force removal of the image
""",
    "history": """
-f, --format string  Format the output using the given Go template, e.g, '{{json .}}'
-H, --human =true  Print sizes and dates in human readable format (default true)
--no-trunc  Don't truncate output
-q, --quiet  Only show numeric IDs
""",
    "import": """
-m, --message string  Set commit message for imported image
-c, --change list  Apply Dockerfile instruction to the created image
--platform string  Set platform for imported image
""",
    "inspect": """
-f, --format string  Format the output using the given Go template, e.g, '{{json .}}'
--mode string =dockercompat  Inspect mode, "dockercompat" for Docker-compatible output, "native" for containerd-native output
-s, --size  Display total file sizes (for containers)
--type string  Return JSON for specified type
""",
    "image inspect": """
-f, --format string  Format the output using the given Go template, e.g, '{{json .}}'
--mode string =dockercompat  Inspect mode, "dockercompat" for Docker-compatible output, "native" for containerd-native output
""",
    "info": """
-f, --format string  Format the output using the given Go template, e.g, '{{json .}}'
--mode string =dockercompat  Information mode, "dockercompat" for Docker-compatible output, "native" for containerd-native output
""",
    "version": """
-f, --format string  Format the output using the given Go template, e.g, '{{json .}}'
""",
    "login": """
-p, --password string  Password
--password-stdin  Take the password from stdin
-u, --username string  Username
""",
    "events": """
-f, --filter list  Filter matches containers based on given conditions
--format string  Format the output using the given Go template, e.g, '{{json .}}'
--since string  @hidden
--until string  @hidden
""",
    "search": """
-f, --filter list  Filter output based on conditions provided
--format string  Pretty-print search using a Go template
--limit int =25  Max number of search results
--no-trunc  Don't truncate output
""",
    "prune": """
-a, --all  Remove all unused, not just dangling
--filter list  Filter output based on conditions provided
-f, --force  Do not prompt for confirmation
""",
    "system prune": """
-a, --all  Remove all unused images, not just dangling ones
-f, --force  Do not prompt for confirmation
--volumes  Prune volumes
""",
    "network ls": """
-f, --filter list  Provide filter values (e.g. "name=default")
--format string  Format the output using the given Go template, e.g, '{{json .}}'
-q, --quiet  Only display network IDs
""",
    "network create": """
-d, --driver string =bridge  Driver to manage the Network
--gateway string  Gateway for the master subnet
--internal  Restrict external access to the network
--ip-range string  Allocate container ip from a sub-range
--ipam-driver string =default  IP Address Management Driver
--ipam-opt list  Set IPAM driver specific options
--ipv6  Enable IPv6 networking
--label list  Set metadata for a network
-o, --opt list  Set driver specific options
--subnet list  Subnet in CIDR format that represents a network segment, e.g. "10.5.0.0/16"
""",
    "volume ls": """
-f, --filter strings =[]  Filter matches volumes based on given conditions
--format string  Format the output using the given Go template, e.g, '{{json .}}'
-q, --quiet  Only display volume names
-s, --size  Display the disk usage of volumes. Can be slow with volumes having loads of directories.
""",
    "volume create": """
--label list  Set a label on the volume
""",
    "volume rm": """
-f, --force  Force the removal of one or more volumes
""",
    "volume prune": """
-a, --all  Remove all unused volumes, not just anonymous ones
-f, --force  Do not prompt for confirmation
""",
    "namespace ls": """
-f, --format string  Format the output using the given Go template, e.g, '{{json .}}'
-q, --quiet  Only display namespace names
""",
    "namespace create": """
-l, --label list  Set labels for a namespace
""",
    "namespace rm": """
-c, --cgroup  delete the namespace's cgroup
""",
    "image convert": """
--all-platforms  Convert content for all platforms
--estargz  Convert legacy tar(.gz) layers to eStargz for lazy pulling. Should be used in conjunction with '--oci'
--estargz-chunk-size int =0  eStargz chunk size
--estargz-compression-level int =9  eStargz compression level
--estargz-record-in string  Read 'ctr-remote optimize --record-out=<FILE>' record file (EXPERIMENTAL)
--nydus  Convert an OCI image to nydus image. Should be used in conjunction with '--oci'
--oci  Convert Docker media types to OCI media types
--overlaybd  Convert tar.gz layers to overlaybd layers
--platform strings  Convert content for a specific platform
--uncompress  Convert tar.gz layers to uncompressed tar layers
--zstd  Convert legacy tar(.gz) layers to zstd. Should be used in conjunction with '--oci'
--zstdchunked  Convert legacy tar(.gz) layers to zstd:chunked for lazy pulling. Should be used in conjunction with '--oci'
""",
    "image encrypt": """
--all-platforms  Convert content for all platforms
--dec-recipient strings =[]  Recipient of the image; used only for PKCS7 and must be an x509 certificate
--gpg-homedir string  The GPG homedir to use; by default gpg uses ~/.gnupg
--gpg-version string  The GPG version ("v1" or "v2"), default will make an educated guess
--key strings =[]  A secret key's filename and an optional password separated by colon; this option may be provided multiple times
--platform strings  Convert content for a specific platform
--recipient strings =[]  Recipient of the image is the person who can decrypt it in the form specified above (i.e. jwe:/path/to/pubkey)
""",
    "image decrypt": """
--all-platforms  Convert content for all platforms
--dec-recipient strings =[]  Recipient of the image; used only for PKCS7 and must be an x509 certificate
--gpg-homedir string  The GPG homedir to use; by default gpg uses ~/.gnupg
--gpg-version string  The GPG version ("v1" or "v2"), default will make an educated guess
--key strings =[]  A secret key's filename and an optional password separated by colon; this option may be provided multiple times
--platform strings  Convert content for a specific platform
""",
}
