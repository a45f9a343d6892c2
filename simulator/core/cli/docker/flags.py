"""The flags of Docker's commands, as their help texts name them: command → one line a flag (see `engine/flagspec.py`)."""

from __future__ import annotations

FLAGS: dict[str, str] = {
    "builder prune": """
-a, --all  Remove all unused build cache, not just dangling ones
--filter filter  Provide filter values (e.g. "until=24h")
-f, --force  Do not prompt for confirmation
--keep-storage bytes =0  Amount of disk space to keep for cache
""",
    "container attach": """
--detach-keys string  Override the key sequence for detaching a container
--no-stdin  Do not attach STDIN
--sig-proxy =true  Proxy all received signals to the process
""",
    "container commit": """
-a, --author string  Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
-c, --change list  Apply Dockerfile instruction to the created image
-m, --message string  Commit message
-p, --pause =true  Pause container during commit
""",
    "container cp": """
-a, --archive  Archive mode (copy all uid/gid information)
-L, --follow-link  Always follow symbol link in SRC_PATH
-q, --quiet  Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached
""",
    "container exec": """
-d, --detach  Detached mode: run command in the background
--detach-keys string  Override the key sequence for detaching a container
-e, --env list  Set environment variables
--env-file list  Read in a file of environment variables
-i, --interactive  Keep STDIN open even if not attached
--privileged  Give extended privileges to the command
-t, --tty  Allocate a pseudo-TTY
-u, --user string  Username or UID (format: "<name|uid>[:<group|gid>]")
-w, --workdir string  Working directory inside the container
""",
    "container export": """
-o, --output string  Write to a file, instead of STDOUT
""",
    "container inspect": """
-f, --format string  @inspect
-s, --size  Display total file sizes
""",
    "container kill": """
-s, --signal string  Signal to send to the container
""",
    "container logs": """
--details  Show extra details provided to logs
-f, --follow  Follow log output
--since string  Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
-n, --tail string =all  Number of lines to show from the end of the logs
-t, --timestamps  Show timestamps
--until string  Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
""",
    "container ls": """
-a, --all  Show all containers (default shows just running)
-f, --filter filter  Filter output based on conditions provided
--format string  @table
-n, --last int =-1  Show n last created containers (includes all states)
-l, --latest  Show the latest created container (includes all states)
--no-trunc  Don't truncate output
-q, --quiet  Only display container IDs
-s, --size  Display total file sizes
""",
    "container prune": """
--filter filter  Provide filter values (e.g. "until=<timestamp>")
-f, --force  Do not prompt for confirmation
""",
    "container restart": """
-s, --signal string  Signal to send to the container
-t, --timeout int =0  Seconds to wait before killing the container
--time int =0  @hidden
""",
    "container rm": """
-f, --force  Force the removal of a running container (uses SIGKILL)
-l, --link  Remove the specified link
-v, --volumes  Remove anonymous volumes associated with the container
""",
    "container run": r"""
--add-host list  Add a custom host-to-IP mapping (host:ip)
--annotation map =map[]  Add an annotation to the container (passed through to the OCI runtime)
-a, --attach list  Attach to STDIN, STDOUT or STDERR
--blkio-weight uint16 =0  Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)
--blkio-weight-device list =[]  Block IO weight (relative device weight)
--cap-add list  Add Linux capabilities
--cap-drop list  Drop Linux capabilities
--cgroup-parent string  Optional parent cgroup for the container
--cgroupns string  Cgroup namespace to use (host|private)\n'host':    Run the container in the Docker host's cgroup namespace\n'private': Run the container in its own private cgroup namespace\n'':        Use the cgroup namespace as configured by the\n           default-cgroupns-mode option on the daemon (default)
--cidfile string  Write the container ID to the file
--cpu-count int  CPU count (Windows only)
--cpu-percent int  CPU percent (Windows only)
--cpu-period int64 =0  Limit CPU CFS (Completely Fair Scheduler) period
--cpu-quota int64 =0  Limit CPU CFS (Completely Fair Scheduler) quota
--cpu-rt-period int64 =0  Limit CPU real-time period in microseconds
--cpu-rt-runtime int64 =0  Limit CPU real-time runtime in microseconds
-c, --cpu-shares int64 =0  CPU shares (relative weight)
--cpus decimal  Number of CPUs
--cpuset-cpus string  CPUs in which to allow execution (0-3, 0,1)
--cpuset-mems string  MEMs in which to allow execution (0-3, 0,1)
-d, --detach  Run container in background and print container ID
--detach-keys string  Override the key sequence for detaching a container
--device list  Add a host device to the container
--device-cgroup-rule list  Add a rule to the cgroup allowed devices list
--device-read-bps list =[]  Limit read rate (bytes per second) from a device
--device-read-iops list =[]  Limit read rate (IO per second) from a device
--device-write-bps list =[]  Limit write rate (bytes per second) to a device
--device-write-iops list =[]  Limit write rate (IO per second) to a device
--disable-content-trust =true  Skip image verification
--dns list  Set custom DNS servers
--dns-option list  Set DNS options
--dns-search list  Set custom DNS search domains
--domainname string  Container NIS domain name
--entrypoint string  Overwrite the default ENTRYPOINT of the image
-e, --env list  Set environment variables
--env-file list  Read in a file of environment variables
--expose list  Expose a port or a range of ports
--gpus gpu-request  GPU devices to add to the container ('all' to pass all GPUs)
--group-add list  Add additional groups to join
--health-cmd string  Command to run to check health
--health-interval duration =0s  Time between running the check (ms|s|m|h) (default 0s)
--health-retries int =0  Consecutive failures needed to report unhealthy
--health-start-interval duration =0s  Time between running the check during the start period (ms|s|m|h) (default 0s)
--health-start-period duration =0s  Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)
--health-timeout duration =0s  Maximum time to allow one check to run (ms|s|m|h) (default 0s)
-h, --hostname string  Container host name
--init  Run an init inside the container that forwards signals and reaps processes
-i, --interactive  Keep STDIN open even if not attached
--io-maxbandwidth bytes  Maximum IO bandwidth limit for the system drive (Windows only)
--io-maxiops uint  Maximum IOps limit for the system drive (Windows only)
--ip string  IPv4 address (e.g., 172.30.100.104)
--ip6 string  IPv6 address (e.g., 2001:db8::33)
--ipc string  IPC mode to use
--isolation string  Container isolation technology
--kernel-memory bytes  Kernel memory limit
-l, --label list  Set meta data on a container
--label-file list  Read in a line delimited file of labels
--link list  Add link to another container
--link-local-ip list  Container IPv4/IPv6 link-local addresses
--log-driver string  Logging driver for the container
--log-opt list  Log driver options
--mac-address string  Container MAC address (e.g., 92:d0:c6:0a:29:33)
-m, --memory bytes =0  Memory limit
--memory-reservation bytes =0  Memory soft limit
--memory-swap bytes =0  Swap limit equal to memory plus swap: '-1' to enable unlimited swap
--memory-swappiness int64 =-1  Tune container memory swappiness (0 to 100)
--mount mount  Attach a filesystem mount to the container
--name string  Assign a name to the container
--network network  Connect a container to a network
--network-alias list  Add network-scoped alias for the container
--no-healthcheck  Disable any container-specified HEALTHCHECK
--oom-kill-disable  Disable OOM Killer
--oom-score-adj int =0  Tune host's OOM preferences (-1000 to 1000)
--pid string  PID namespace to use
--pids-limit int64 =0  Tune container pids limit (set -1 for unlimited)
--platform string  Set platform if server is multi-platform capable
--privileged  Give extended privileges to this container
-p, --publish list  Publish a container's port(s) to the host
-P, --publish-all  Publish all exposed ports to random ports
--pull string =missing  Pull image before running ("always", "missing", "never")
-q, --quiet  Suppress the pull output
--read-only  Mount the container's root filesystem as read only
--restart string =no  Restart policy to apply when a container exits
--rm  Automatically remove the container and its associated anonymous volumes when it exits
--runtime string  Runtime to use for this container
--security-opt list  Security Options
--shm-size bytes =0  Size of /dev/shm
--sig-proxy =true  Proxy received signals to the process
--stop-signal string  Signal to stop the container
--stop-timeout int =0  Timeout (in seconds) to stop a container
--storage-opt list  Storage driver options for the container
--sysctl map =map[]  Sysctl options
--tmpfs list  Mount a tmpfs directory
-t, --tty  Allocate a pseudo-TTY
--ulimit ulimit =[]  Ulimit options
--use-api-socket  Bind mount Docker API socket and required auth
-u, --user string  Username or UID (format: <name|uid>[:<group|gid>])
--userns string  User namespace to use
--uts string  UTS namespace to use
-v, --volume list  Bind mount a volume
--volume-driver string  Optional volume driver for the container
--volumes-from list  Mount volumes from the specified container(s)
-w, --workdir string  Working directory inside the container
""",
    "container start": """
-a, --attach  Attach STDOUT/STDERR and forward signals
--checkpoint string  Restore from this checkpoint
--checkpoint-dir string  Use a custom checkpoint storage directory
--detach-keys string  Override the key sequence for detaching a container
-i, --interactive  Attach container's STDIN
""",
    "container stats": """
-a, --all  Show all containers (default shows just running)
--format string  @table
--no-stream  Disable streaming stats and only pull the first result
--no-trunc  Do not truncate output
""",
    "container stop": """
-s, --signal string  Signal to send to the container
-t, --timeout int =0  Seconds to wait before killing the container
--time int =0  @hidden
""",
    "container update": """
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
    "context create": """
--description string  Description of the context
--docker stringToString =[]  set the docker endpoint
--from string  create context from a named context
""",
    "context inspect": """
-f, --format string  @inspect
""",
    "context ls": """
--format string  @table
-q, --quiet  Only show context names
""",
    "context rm": """
-f, --force  Force the removal of a context in use
""",
    "context update": """
--description string  Description of the context
--docker stringToString =[]  set the docker endpoint
""",
    "image build": """
--add-host list  Add a custom host-to-IP mapping (host:ip)
--build-arg list  Set build-time variables
--cache-from stringSlice  Images to consider as cache sources
--cgroup-parent string  Set the parent cgroup for the RUN instructions during build
--compress  Compress the build context using gzip
--cpu-period int64 =0  Limit the CPU CFS (Completely Fair Scheduler) period
--cpu-quota int64 =0  Limit the CPU CFS (Completely Fair Scheduler) quota
-c, --cpu-shares int64 =0  CPU shares (relative weight)
--cpuset-cpus string  CPUs in which to allow execution (0-3, 0,1)
--cpuset-mems string  MEMs in which to allow execution (0-3, 0,1)
-f, --file string  Name of the Dockerfile (Default is PATH/Dockerfile)
--force-rm  Always remove intermediate containers
--iidfile string  Write the image ID to the file
--isolation string  Container isolation technology
--label list  Set metadata for an image
-m, --memory bytes =0  Memory limit
--memory-swap bytes =0  Swap limit equal to memory plus swap: -1 to enable unlimited swap
--network string =default  Set the networking mode for the RUN instructions during build
--no-cache  Do not use cache when building the image
--platform string  Set platform if server is multi-platform capable
--pull  Always attempt to pull a newer version of the image
-q, --quiet  Suppress the build output and print image ID on success
--rm =true  Remove intermediate containers after a successful build
--security-opt stringSlice  Security options
--shm-size bytes =0  Size of /dev/shm
--squash  Squash newly built layers into a single new layer
-t, --tag list  Name and optionally a tag in the name:tag format
--target string  Set the target build stage to build.
--ulimit ulimit  Ulimit options
""",
    "image history": """
--format string  @table
-H, --human =true  Print sizes and dates in human readable format
--no-trunc  Don't truncate output
--platform string  Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")
-q, --quiet  Only show image IDs
""",
    "image import": """
-c, --change list  Apply Dockerfile instruction to the created image
-m, --message string  Set commit message for imported image
--platform string  Set platform if server is multi-platform capable
""",
    "image inspect": r"""
-f, --format string  @inspect
--platform string  Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)
""",
    "image load": """
-i, --input string  Read from tar archive file, instead of STDIN
--platform stringSlice  Load only the given platform(s). Formatted as a comma-separated list of os[/arch[/variant]] (e.g., linux/amd64,linux/arm64/v8).
-q, --quiet  Suppress the load output
""",
    "image ls": """
-a, --all  Show all images (default hides intermediate images)
--digests  Show digests
-f, --filter filter  Filter output based on conditions provided
--format string  @table
--no-trunc  Don't truncate output
-q, --quiet  Only show image IDs
--tree  List multi-platform images as a tree (EXPERIMENTAL)
""",
    "image prune": """
-a, --all  Remove all unused images, not just dangling ones
--filter filter  Provide filter values (e.g. "until=<timestamp>")
-f, --force  Do not prompt for confirmation
""",
    "image pull": """
-a, --all-tags  Download all tagged images in the repository
--disable-content-trust =true  Skip image verification
--platform string  Set platform if server is multi-platform capable
-q, --quiet  Suppress verbose output
""",
    "image push": r"""
-a, --all-tags  Push all tags of an image to the repository
--disable-content-trust =true  Skip image signing
--platform string  Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)
-q, --quiet  Suppress verbose output
""",
    "image rm": """
-f, --force  Force removal of the image
--no-prune  Do not delete untagged parents
--platform strings  Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")
""",
    "image save": """
-o, --output string  Write to a file, instead of STDOUT
--platform stringSlice  Save only the given platform(s). Formatted as a comma-separated list of os[/arch[/variant]] (e.g., linux/amd64,linux/arm64/v8)
""",
    "inspect": """
-f, --format string  @inspect
-s, --size  Display total file sizes if the type is container
--type string  Only inspect objects of the given type
""",
    "login": """
-p, --password string  Password or Personal Access Token (PAT)
--password-stdin  Take the Password or Personal Access Token (PAT) from stdin
-u, --username string  Username
""",
    "network connect": """
--alias strings  Add network-scoped alias for the container
--driver-opt strings  driver options for the network
--gw-priority int =0  Highest gw-priority provides the default gateway. Accepts positive and negative values.
--ip string  IPv4 address (e.g., "172.30.100.104")
--ip6 string  IPv6 address (e.g., "2001:db8::33")
--link list  Add link to another container
--link-local-ip strings  Add a link-local address for the container
""",
    "network create": """
--attachable  Enable manual container attachment
--aux-address map =map[]  Auxiliary IPv4 or IPv6 addresses used by Network driver
--config-from string  The network from which to copy the configuration
--config-only  Create a configuration only network
-d, --driver string =bridge  Driver to manage the Network
--gateway strings  IPv4 or IPv6 Gateway for the master subnet
--ingress  Create swarm routing-mesh network
--internal  Restrict external access to the network
--ip-range strings  Allocate container ip from a sub-range
--ipam-driver string =default  IP Address Management Driver
--ipam-opt map =map[]  Set IPAM driver specific options
--ipv4 =true  Enable or disable IPv4 address assignment
--ipv6  Enable or disable IPv6 address assignment
--label list  Set metadata on a network
-o, --opt map =map[]  Set driver specific options
--scope string  Control the network's scope
--subnet strings  Subnet in CIDR format that represents a network segment
""",
    "network disconnect": """
-f, --force  Force the container to disconnect from a network
""",
    "network inspect": """
-f, --format string  @inspect
-v, --verbose  Verbose output for diagnostics
""",
    "network ls": """
-f, --filter filter  Provide filter values (e.g. "driver=bridge")
--format string  @table
--no-trunc  Do not truncate the output
-q, --quiet  Only display network IDs
""",
    "network prune": """
--filter filter  Provide filter values (e.g. "until=<timestamp>")
-f, --force  Do not prompt for confirmation
""",
    "network rm": """
-f, --force  Do not error if the network does not exist
""",
    "search": """
-f, --filter filter  Filter output based on conditions provided
--format string  Pretty-print search using a Go template
--limit int =0  Max number of search results
--no-trunc  Don't truncate output
""",
    "system df": """
--format string  @table
-v, --verbose  Show detailed information on space usage
""",
    "system events": """
-f, --filter filter  Filter output based on conditions provided
--format string  @inspect
--since string  Show all events created since timestamp
--until string  Stream events until this timestamp
""",
    "system info": """
-f, --format string  @inspect
""",
    "system prune": """
-a, --all  Remove all unused images not just dangling ones
--filter filter  Provide filter values (e.g. "label=<key>=<value>")
-f, --force  Do not prompt for confirmation
--volumes  Prune anonymous volumes
""",
    "version": """
-f, --format string  @inspect
""",
    "volume create": """
--availability string =active  Cluster Volume availability ("active", "pause", "drain")
-d, --driver string =local  Specify volume driver name
--group string  Cluster Volume group (cluster volumes)
--label list  Set metadata for a volume
--limit-bytes bytes =0  Minimum size of the Cluster Volume in bytes
-o, --opt map =map[]  Set driver specific options
--required-bytes bytes =0  Maximum size of the Cluster Volume in bytes
--scope string =single  Cluster Volume access scope ("single", "multi")
--secret map =map[]  Cluster Volume secrets
--sharing string =none  Cluster Volume access sharing ("none", "readonly", "onewriter", "all")
--topology-preferred list  A topology that the Cluster Volume would be preferred in
--topology-required list  A topology that the Cluster Volume must be accessible from
--type string =block  Cluster Volume access type ("mount", "block")
""",
    "volume inspect": """
-f, --format string  @inspect
""",
    "volume ls": """
--cluster  Display only cluster volumes, and use cluster volume list formatting
-f, --filter filter  Provide filter values (e.g. "dangling=true")
--format string  @table
-q, --quiet  Only display volume names
""",
    "volume prune": """
-a, --all  Remove all unused volumes, not just anonymous ones
--filter filter  Provide filter values (e.g. "label=<label>")
-f, --force  Do not prompt for confirmation
""",
    "volume rm": """
-f, --force  Force the removal of one or more volumes
""",
    "volume update": """
--availability string =active  Cluster Volume availability ("active", "pause", "drain")
""",
    "checkpoint create": """
--checkpoint-dir string  Use a custom checkpoint storage directory
--leave-running  Leave the container running after checkpoint
""",
    "checkpoint ls": """
--checkpoint-dir string  Use a custom checkpoint storage directory
""",
    "checkpoint rm": """
--checkpoint-dir string  Use a custom checkpoint storage directory
""",
    "manifest annotate": """
--arch string  Set architecture
--os string  Set operating system
--os-features strings  Set operating system feature
--os-version string  Set operating system version
--variant string  Set architecture variant
""",
    "manifest create": """
-a, --amend  Amend an existing manifest list
--insecure  Allow communication with an insecure registry
""",
    "manifest inspect": """
--insecure  Allow communication with an insecure registry
-v, --verbose  Output additional info including layers and platform
""",
    "manifest push": """
--insecure  Allow push to an insecure registry
-p, --purge  Remove the local manifest list after push
""",
    "plugin create": """
--compress  Compress the context using gzip
""",
    "plugin disable": """
-f, --force  Force the disable of an active plugin
""",
    "plugin enable": """
--timeout int =30  HTTP client timeout (in seconds)
""",
    "plugin inspect": """
-f, --format string  @inspect
""",
    "plugin install": """
--alias string  Local name for plugin
--disable  Do not enable the plugin on install
--disable-content-trust =true  Skip image verification
--grant-all-permissions  Grant all permissions necessary to run the plugin
""",
    "plugin ls": """
-f, --filter filter  Provide filter values (e.g. "enabled=true")
--format string  @table
--no-trunc  Don't truncate output
-q, --quiet  Only display plugin IDs
""",
    "plugin push": """
--disable-content-trust =true  Skip image signing
""",
    "plugin rm": """
-f, --force  Force the removal of an active plugin
""",
    "plugin upgrade": """
--disable-content-trust =true  Skip image verification
--grant-all-permissions  Grant all permissions necessary to run the plugin
--skip-remote-check  Do not check if specified remote plugin matches existing plugin image
""",
    "trust inspect": """
--pretty  Print the information in a human friendly format
""",
    "trust revoke": """
-y, --yes  Do not prompt for confirmation
""",
    "trust sign": """
--local  Sign a locally tagged image
""",
    "swarm init": """
--advertise-addr string  Advertised address (format: "<ip|interface>[:port]")
--autolock  Enable manager autolocking (requiring an unlock key to start a stopped manager)
--availability string =active  Availability of the node ("active", "pause", "drain")
--cert-expiry duration =2160h0m0s  Validity period for node certificates (ns|us|ms|s|m|h)
--data-path-addr string  Address or interface to use for data path traffic (format: "<ip|interface>")
--data-path-port uint32  Port number to use for data path traffic (1024 - 49151). If no value is set or is set to 0, the default port (4789) is used.
--default-addr-pool ipNetSlice =[]  default address pool in CIDR format
--default-addr-pool-mask-length uint32 =24  default address pool subnet mask length
--dispatcher-heartbeat duration =5s  Dispatcher heartbeat period (ns|us|ms|s|m|h)
--external-ca external-ca  Specifications of one or more certificate signing endpoints
--force-new-cluster  Force create a new cluster from current state
--listen-addr node-addr =0.0.0.0:2377  Listen address (format: "<ip|interface>[:port]")
--max-snapshots uint  Number of additional Raft snapshots to retain
--snapshot-interval uint =10000  Number of log entries between Raft snapshots
--task-history-limit int =5  Task history retention limit
""",
    "swarm join": """
--advertise-addr string  Advertised address (format: "<ip|interface>[:port]")
--availability string =active  Availability of the node ("active", "pause", "drain")
--data-path-addr string  Address or interface to use for data path traffic (format: "<ip|interface>")
--listen-addr node-addr =0.0.0.0:2377  Listen address (format: "<ip|interface>[:port]")
--token string  Token for entry into the swarm
""",
    "swarm leave": """
-f, --force  Force this node to leave the swarm, ignoring warnings
""",
}
