"""The texts of ctr's commands and flags, as its help shows them (see `urfave_tree.py`)."""

from __future__ import annotations

TEXT = r"""
# plugins ~ plugin ~
Provides information about containerd plugins
# plugins list ~ ls ~
Lists containerd plugins
bool quiet, q: Print only the plugin ids
bool detailed, d: Print detailed information about each plugin
# plugins inspect-runtime ~  ~ [flags]
Display runtime info
string runtime =io.containerd.runc.v2: Runtime name or absolute path to runtime binary
string runtime-config-path: Optional runtime config path
string runc-binary: Specify runc-compatible binary
string runc-root: Specify runc-compatible root
bool runc-systemd-cgroup: Start runc with systemd cgroup manager
# version ~  ~
Print the client and server versions
# containers ~ c, container ~
Manage containers
# containers create ~  ~ [flags] Image|RootFS CONTAINER [COMMAND] [ARG...]
Create container
string runtime =io.containerd.runc.v2: Runtime name or absolute path to runtime binary
string runtime-config-path: Optional runtime config path
string runc-binary: Specify runc-compatible binary
string runc-root: Specify runc-compatible root
bool runc-systemd-cgroup: Start runc with systemd cgroup manager
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
slice snapshotter-label: Labels added to the new snapshot for this container.
string config, c: Path to the runtime-specific spec config file
string cwd: Specify the working directory of the process
slice env: Specify additional container environment variables (e.g. FOO=bar)
string env-file: Specify additional container environment variables in a file(e.g. FOO=bar, one per line)
slice label: Specify additional labels (e.g. foo=bar)
slice annotation: Specify additional OCI annotations (e.g. foo=bar)
slice mount: Specify additional container mount (e.g. type=bind,src=/tmp,dst=/host,options=rbind:ro)
bool net-host: Enable host networking for the container
bool privileged: Run privileged container
bool read-only: Set the containers filesystem as readonly
string sandbox: Create the container in the given sandbox
bool tty, t: Allocate a TTY for the container
slice with-ns: Specify existing Linux namespaces to join at container runtime (format '<nstype>:<path>')
string pid-file: File path to write the task's pid
slice gpus: Add gpus to the container
bool allow-new-privs: Turn off OCI spec's NoNewPrivileges feature flag
int memory-limit: Memory limit (in bytes) for the container
slice cap-add: Add Linux capabilities (Set capabilities with 'CAP_' prefix)
slice cap-drop: Drop Linux capabilities (Set capabilities with 'CAP_' prefix)
bool seccomp: Enable the default seccomp profile
string seccomp-profile: File path to custom seccomp profile. seccomp must be set to true, before using seccomp-profile
string apparmor-default-profile: Enable AppArmor with the default profile with the specified name, e.g. "cri-containerd.apparmor.d"
string apparmor-profile: Enable AppArmor with an existing custom profile
string blockio-config-file: File path to blockio class definitions. By default class definitions are not loaded.
string blockio-class: Name of the blockio class to associate the container with
string rdt-class: Name of the RDT class to associate the container with. Specifies a Class of Service (CLOS) for cache and memory bandwidth management.
string hostname: Set the container's host name
string user, u: Username or user id, group optional (format: <name|uid>[:<group|gid>])
bool rootfs: Use custom rootfs that is not managed by containerd snapshotter
bool no-pivot: Disable use of pivot-root (linux only)
int cpu-quota =-1: Limit CPU CFS quota
int cpu-period: Limit CPU CFS period
string rootfs-propagation: Set the propagation of the container rootfs
slice device: File path to a device to add to the container; or a path to a directory tree of devices to add to the container
# containers delete ~ del, remove, rm ~ [flags] CONTAINER [CONTAINER, ...]
Delete one or more existing containers
bool keep-snapshot: Do not clean up snapshot with container
# containers info ~  ~ CONTAINER
Get info about a container
bool spec: Only display the spec
# containers list ~ ls ~ [flags] [<filter>, ...]
List containers
bool quiet, q: Print only the container id
# containers label ~  ~ [flags] CONTAINER [<key>=<value>, ...]
Set and clear labels for a container
| set and clear labels for a container
# containers checkpoint ~  ~ CONTAINER REF
Checkpoint a container
bool rw: Include the rw layer in the checkpoint
bool image: Include the image in the checkpoint
bool task: Checkpoint container task
# containers restore ~  ~ CONTAINER REF
Restore a container from checkpoint
bool rw: Restore the rw layer from the checkpoint
bool live: Restore the runtime and memory data from the checkpoint
# content ~  ~
Manage content
# content active ~  ~ [flags] [<regexp>]
Display active transfers
| display the ongoing transfers
duration timeout, t $CONTAINERD_FETCH_TIMEOUT: Total timeout for fetch
string root =/tmp/content: Path to content store root
# content delete ~ del, remove, rm ~ [<digest>, ...]
Permanently delete one or more blobs
| Delete one or more blobs permanently. Successfully deleted
|   blobs are printed to stdout.
# content edit ~  ~ [flags] <digest>
Edit a blob and return a new digest
| edit a blob and return a new digest
string validate: Validate the result against a format (json, mediatype, etc.)
string editor $EDITOR: Select editor (vim, emacs, etc.)
# content fetch ~  ~ [flags] <remote> <object>
Fetch all content for an image into containerd
| Fetch an image into containerd.
|
| This command ensures that containerd has all the necessary resources to build
| an image's rootfs and convert the configuration to a runtime format supported
| by containerd.
|
| This command pulls image content (manifests, configs, and layers) into the
| content store without unpacking. It can be used to pre-fetch images or to
| pull content that will later be used with 'ctr run' or 'ctr images unpack'.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
slice label: Labels to attach to the image
slice platform: Pull content from a specific platform
bool all-platforms: Pull content from all platforms
bool skip-metadata: Skips metadata for unused platforms (Image may be unable to be pushed without metadata)
bool metadata-only: Pull all metadata including manifests and configs
# content fetch-object ~  ~ [flags] <remote> <object> [<hint>, ...]
Retrieve objects from a remote
| Fetch objects by identifier from a remote.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
# content fetch-blob ~  ~ [flags] <remote> [<digest>, ...]
Retrieve blobs from a remote
| Fetch blobs by digests from a remote.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
string media-type: Specify target mediatype for request header
# content get ~  ~ [<digest>, ...]
Get the data for an object
| display the image object
# content ingest ~  ~ [flags] <key>
Accept content into the store
| ingest objects into the local content store
int expected-size: Validate against provided size
string expected-digest: Verify content against expected digest
# content list ~ ls ~ [flags]
List all blobs in the store
| list blobs in the content store
bool quiet, q: Print only the blob digest
# content push-object ~  ~ [flags] <remote> <object> <type>
Push an object to a remote
| Push objects by identifier to a remote.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
# content label ~  ~ <digest> [<label>=<value> ...]
Add labels to content
| labels blobs in the content store
# content prune ~  ~
Prunes content from the content store
# content prune references ~  ~
Prunes preference labels from the content store (layers only by default)
bool async: Allow garbage collection to cleanup asynchronously
bool dry: Just show updates without applying (enables debug logging)
# events ~ event ~
Display containerd events
# images ~ image, i ~
Manage images
# images check ~  ~ [flags] [<filter>, ...]
Check existing images to ensure all content is available locally
| check existing images to ensure all content is available locally
bool quiet, q: Print only the ready image refs (fully downloaded and unpacked)
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
# images export ~  ~ [flags] <out> <image> ...
Export images
| Export images to an OCI tar archive.
|
| Tar output is formatted as an OCI archive, a Docker manifest is provided for the platform.
| Use '--skip-manifest-json' to avoid including the Docker manifest.json file.
| Use '--platform' to define the output platform.
| When '--all-platforms' is given all images in a manifest list must be available.
bool skip-manifest-json: Do not add Docker compatible manifest.json to archive
bool skip-non-distributable: Do not add non-distributable blobs such as Windows layers to archive
slice platform: Pull content from a specific platform
bool all-platforms: Exports content from all platforms
bool local: Run export locally rather than through transfer API
# images import ~  ~ [flags] <in>
Import images
| Import images from a tar stream.
| Implemented formats:
| - oci.v1
| - docker.v1.1
| - docker.v1.2
|
|
| For OCI v1, you may need to specify --base-name because an OCI archive may
| contain only partial image references (tags without the base image name).
| If no base image name is provided, a name will be generated as "import-%{yyyy-MM-dd}".
|
| e.g.
|   $ ctr images import --base-name foo/bar foobar.tar
|
| If foobar.tar contains an OCI ref named "latest" and anonymous ref "sha256:deadbeef", the command will create
| "foo/bar:latest" and "foo/bar@sha256:deadbeef" images in the containerd store.
string base-name: Base image name for added images, when provided only images with this name prefix are imported
bool digests: Whether to create digest images (default: false)
bool skip-digest-for-named: Skip applying --digests option to images named in the importing tar (use it in conjunction with --digests)
string index-name: Image name to keep index as, by default index is discarded
bool all-platforms: Imports content for all platforms, false by default
string platform: Imports content for specific platform
bool no-unpack: Skip unpacking the images, cannot be used with --discard-unpacked-layers, false by default
bool local: Run import locally rather than through transfer API
bool compress-blobs: Compress uncompressed blobs when creating manifest (Docker format only)
bool discard-unpacked-layers: Allow the garbage collector to clean layers up from the content store after unpacking, cannot be used with --no-unpack, false by default
bool sync-fs: Synchronize the underlying filesystem containing files when unpack images, false by default
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
slice label: Labels to attach to the image
# images inspect ~ i ~ <image> [flags]
inspect an image
| Inspect an image
bool content: Show JSON content
# images list ~ ls ~ [flags] [<filter>, ...]
List images known to containerd
| list images registered with containerd
bool quiet, q: Print only the image refs
# images mount ~  ~ [flags] <ref> [<target>]
Mount an image to a target path
| Mount an image rootfs to a specified path.
|
| When you are done, use the unmount command.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
slice label: Labels to attach to the image
bool rw: Enable write support on the mount
string platform =linux/amd64: Mount the image for the specified platform
bool sync-fs: Synchronize the underlying filesystem containing files when unpack images, false by default
duration expiration, x =1h0m0s: Set the expiration time for the mount and snapshots
# images unmount ~  ~ [flags] <target>
Unmount the image from the target
| Unmount the image rootfs from the specified target.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
slice label: Labels to attach to the image
bool rm: Remove the snapshot after a successful unmount
# images pull ~  ~ [flags] <ref>
Pull an image from a remote
| Fetch and prepare an image for use in containerd.
|
| After pulling an image, it should be ready to use the same reference in a run
| command. As part of this process, we do the following:
|
| 1. Fetch all resources into containerd.
| 2. Prepare the snapshot filesystem with the pulled resources.
| 3. Register metadata for the image.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
slice label: Labels to attach to the image
slice platform: Pull content from a specific platform
bool all-platforms: Pull content and metadata from all platforms
bool skip-metadata: Skips metadata for unused platforms (Image may be unable to be pushed without metadata)
bool print-chainid: Print the resulting image's chain ID
int max-concurrent-downloads: Set the max concurrent downloads for each pull
bool local: Fetch content from local client rather than using transfer service
bool sync-fs: Synchronize the underlying filesystem containing files when unpack images, false by default
# images push ~  ~ [flags] <remote> [<local>]
Push an image to a remote
| Pushes an image reference from containerd.
|
|   All resources associated with the manifest reference will be pushed.
|   The ref is used to resolve to a locally existing image manifest.
|   The image manifest must exist before push. Creating a new image
|   manifest can be done through calculating the diff for layers,
|   creating the associated configuration, and creating the manifest
|   which references those resources.
bool skip-verify, k: Skip SSL certificate validation
bool plain-http: Allow connections using plain HTTP
string user, u: User[:password] Registry user and password
string refresh: Refresh token for authorization server
string hosts-dir: Custom hosts configuration directory
string tlscacert: Path to TLS root CA
string tlscert: Path to TLS client certificate
string tlskey: Path to TLS client key
bool http-dump: Dump all HTTP request/responses when interacting with container registry
bool http-trace: Enable HTTP tracing for registry interactions
string manifest: Digest of manifest
string manifest-type =application/vnd.oci.image.manifest.v1+json: Media type of manifest digest
slice platform: Push content from a specific platform
int max-concurrent-uploaded-layers: Set the max concurrent uploaded layers for each push
bool local: Push content from local client rather than using transfer service
bool allow-non-distributable-blobs: Allow pushing blobs that are marked as non-distributable
# images prune ~  ~
Remove unused images
bool all: Remove all unused images, not just dangling ones (if all is not specified no images will be pruned)
# images delete ~ del, remove, rm ~ [flags] <ref> [<ref>, ...]
Remove one or more images by reference
| remove one or more images by reference
bool sync: Synchronously remove image and all associated resources
# images tag ~  ~ [flags] <source_ref> <target_ref> [<target_ref>, ...]
Tag an image
| Tag an image for use in containerd.
bool force: Force target_ref to be created, regardless if it already exists
bool local: Run tag locally rather than through transfer API
bool skip-reference-check: Skip the strict check for reference names
# images label ~  ~ [flags] <name> [<key>=<value>, ...]
Set and clear labels for an image
| set and clear labels for an image
bool replace-all, r: Replace all labels
# images convert ~  ~ [flags] <source_ref> <target_ref>
Convert an image
| Convert an image format.
|
| e.g., 'ctr image convert --uncompress --oci example.com/foo:orig example.com/foo:converted'
|       'ctr image convert --erofs raw example.com/foo:orig example.com/foo:erofs'
|       'ctr image convert --erofs zstd example.com/foo:orig example.com/foo:erofs-zstd'
|
| Use '--platform' to define the output platform.
| When '--all-platforms' is given all images in a manifest list must be available.
bool uncompress: Convert tar.gz layers to uncompressed tar layers
bool oci: Convert Docker media types to OCI media types
string erofs: Convert layers to EROFS format, must specify 'raw' or 'zstd' (e.g. --erofs raw, --erofs zstd)
string erofs-compressors: Specify compression algorithm list when converting EROFS layers
string erofs-mkfs-options: Extra mkfs options applied when converting EROFS layers. (e.g. '-Efragments,dedupe')
slice platform: Pull content from a specific platform
bool all-platforms: Exports content from all platforms
# images usage ~  ~ [flags] <ref>
Display usage of snapshots for a given image ref
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
# leases ~  ~
Manage leases
# leases list ~ ls ~ [flags] <filter>
List all active leases
| list active leases by containerd
bool quiet, q: Print only the blob digest
# leases create ~  ~ [flags] <label>=<value> ...
Create lease
| create a new lease
string id: Set the id for the lease, will be generated by default
duration expires, x =24h0m0s: Expiration of lease (0 value will not expire)
# leases delete ~ del, remove, rm ~ [flags] <lease id> ...
Delete a lease
| delete a lease
bool sync: Synchronously remove leases and all unreferenced resources
# namespaces ~ namespace, ns ~
Manage namespaces
# namespaces create ~ c ~ <name> [<key>=<value>]
Create a new namespace
| create a new namespace. it must be unique
# namespaces list ~ ls ~ [flags]
List namespaces
| list namespaces
bool quiet, q: Print only the namespace name
# namespaces remove ~ rm ~ <name> [<name>, ...]
Remove one or more namespaces
| remove one or more namespaces. for now, the namespace must be empty
bool cgroup, c: Delete the namespace's cgroup
# namespaces label ~  ~ <name> [<key>=<value>, ...]
Set and clear labels for a namespace
| set and clear labels for a namespace. empty value clears the label
# pprof ~  ~
Provide golang pprof outputs for containerd
string debug-socket, d =/run/containerd/debug.sock: Socket path for containerd's debug server
# pprof block ~  ~
Goroutine blocking profile
int debug: Debug pprof args
# pprof goroutines ~  ~
Dump goroutine stack dump
int debug =2: Debug pprof args
# pprof heap ~  ~
Dump heap profile
int debug: Debug pprof args
# pprof profile ~  ~
CPU profile
duration seconds, s =30s: Duration for collection (seconds)
int debug: Debug pprof args
# pprof threadcreate ~  ~
Goroutine thread creating profile
int debug: Debug pprof args
# pprof trace ~  ~
Collect execution trace
duration seconds, s =5s: Trace time (seconds)
int debug: Debug pprof args
# run ~  ~ [flags] Image|RootFS ID [COMMAND] [ARG...]
Run a container
bool rm: Remove the container after running, cannot be used with --detach
bool null-io: Send all IO to /dev/null
string log-uri: Log uri
bool detach, d: Detach from the task after it has started execution, cannot be used with --rm
string fifo-dir: Directory used for storing IO FIFOs
string cgroup: Cgroup path (To disable use of cgroup, set to "" explicitly)
string platform: Run image for specific platform
bool cni: Enable cni networking for the container
bool sync-fs: Synchronize the underlying filesystem containing files when unpack images, false by default
string dump-config: Dump the generated OCI config to a file
slice uidmap: Run inside a user namespace with the specified UID mapping ranges; specified with the format `container-uid:host-uid:length`
slice gidmap: Run inside a user namespace with the specified GID mapping ranges; specified with the format `container-gid:host-gid:length`
bool remap-labels: Provide the user namespace ID remapping to the snapshotter via label options; requires snapshotter support
bool privileged-without-host-devices: Don't pass all host devices to privileged container
float cpus: Set the CFS cpu quota
int cpu-shares =1024: Set the cpu shares
string cpuset-cpus: Set the CPUs the container will run in (e.g., 1-2,4)
string cpuset-mems: Set the memory nodes the container will run in (e.g., 1-2,4)
string rlimit-nofile: Set RLIMIT_NOFILE (soft:hard)
string runtime =io.containerd.runc.v2: Runtime name or absolute path to runtime binary
string runtime-config-path: Optional runtime config path
string runc-binary: Specify runc-compatible binary
string runc-root: Specify runc-compatible root
bool runc-systemd-cgroup: Start runc with systemd cgroup manager
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
slice snapshotter-label: Labels added to the new snapshot for this container.
string config, c: Path to the runtime-specific spec config file
string cwd: Specify the working directory of the process
slice env: Specify additional container environment variables (e.g. FOO=bar)
string env-file: Specify additional container environment variables in a file(e.g. FOO=bar, one per line)
slice label: Specify additional labels (e.g. foo=bar)
slice annotation: Specify additional OCI annotations (e.g. foo=bar)
slice mount: Specify additional container mount (e.g. type=bind,src=/tmp,dst=/host,options=rbind:ro)
bool net-host: Enable host networking for the container
bool privileged: Run privileged container
bool read-only: Set the containers filesystem as readonly
string sandbox: Create the container in the given sandbox
bool tty, t: Allocate a TTY for the container
slice with-ns: Specify existing Linux namespaces to join at container runtime (format '<nstype>:<path>')
string pid-file: File path to write the task's pid
slice gpus: Add gpus to the container
bool allow-new-privs: Turn off OCI spec's NoNewPrivileges feature flag
int memory-limit: Memory limit (in bytes) for the container
slice cap-add: Add Linux capabilities (Set capabilities with 'CAP_' prefix)
slice cap-drop: Drop Linux capabilities (Set capabilities with 'CAP_' prefix)
bool seccomp: Enable the default seccomp profile
string seccomp-profile: File path to custom seccomp profile. seccomp must be set to true, before using seccomp-profile
string apparmor-default-profile: Enable AppArmor with the default profile with the specified name, e.g. "cri-containerd.apparmor.d"
string apparmor-profile: Enable AppArmor with an existing custom profile
string blockio-config-file: File path to blockio class definitions. By default class definitions are not loaded.
string blockio-class: Name of the blockio class to associate the container with
string rdt-class: Name of the RDT class to associate the container with. Specifies a Class of Service (CLOS) for cache and memory bandwidth management.
string hostname: Set the container's host name
string user, u: Username or user id, group optional (format: <name|uid>[:<group|gid>])
bool rootfs: Use custom rootfs that is not managed by containerd snapshotter
bool no-pivot: Disable use of pivot-root (linux only)
int cpu-quota =-1: Limit CPU CFS quota
int cpu-period: Limit CPU CFS period
string rootfs-propagation: Set the propagation of the container rootfs
slice device: File path to a device to add to the container; or a path to a directory tree of devices to add to the container
# snapshots ~ snapshot ~
Manage snapshots
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
# snapshots commit ~  ~ <key> <active>
Commit an active snapshot into the provided name
# snapshots diff ~  ~ [flags] <idA> [<idB>]
Get the diff of two snapshots. the default second snapshot is the first snapshot's parent.
string media-type =application/vnd.oci.image.layer.v1.tar+gzip: Media type to use for creating diff
string ref: Content upload reference to use
bool keep: Keep diff content. up to creator to delete it.
slice label: Labels to attach to the image
# snapshots info ~  ~ <key>
Get info about a snapshot
# snapshots list ~ ls ~
List snapshots
# snapshots mounts ~ m, mount ~ <target> <key>
Mount gets mount commands for the snapshots
bool temp: Mounts the snapshot mounts as a temp mount and returns a bind mount
# snapshots prepare ~  ~ [flags] <key> [<parent>]
Prepare a snapshot from a committed snapshot
string target, t: Mount target path, will print mount, if provided
bool mounts: Print out snapshot mounts as JSON
# snapshots delete ~ del, remove, rm ~ <key> [<key>, ...]
Remove snapshots
# snapshots label ~  ~ <name> [<label>=<value> ...]
Add labels to content
| labels snapshots in the snapshotter
# snapshots tree ~  ~
Display tree view of snapshot branches
# snapshots unpack ~  ~ [flags] <digest>
Unpack applies layers from a manifest to a snapshot
bool sync-fs: Synchronize the underlying filesystem containing files when unpack images, false by default
string snapshotter $CONTAINERD_SNAPSHOTTER: Snapshotter name. Empty value stands for the default value.
# snapshots usage ~  ~ [flags] [<key>, ...]
Usage snapshots
bool b: Display size in bytes
# snapshots view ~  ~ [flags] <key> [<parent>]
Create a read-only snapshot from a committed snapshot
string target, t: Mount target path, will print mount, if provided
bool mounts: Print out snapshot mounts as JSON
# tasks ~ t, task ~
Manage tasks
# tasks attach ~  ~ CONTAINER
Attach to the IO of a running container
# tasks checkpoint ~  ~ [flags] CONTAINER
Checkpoint a container
bool exit: Stop the container after the checkpoint
string image-path: Path to criu image files
string work-path: Path to criu work files and logs
# tasks delete ~ del, remove, rm ~ CONTAINER [CONTAINER, ...]
Delete one or more tasks
bool force, f: Force delete task process
string exec-id: Process ID to kill
# tasks exec ~  ~ [flags] CONTAINER CMD [ARG...]
Execute additional processes in an existing container
string cwd: Working directory of the new process
bool tty, t: Allocate a TTY for the container
bool detach, d: Detach from the task after it has started execution
string! exec-id: Exec specific id for the process
string fifo-dir: Directory used for storing IO FIFOs
string log-uri: Log uri for custom shim logging
string user: User id or name
# tasks list ~ ls ~ [flags]
List tasks
bool quiet, q: Print only the task id
# tasks kill ~  ~ [flags] CONTAINER
Signal a container (default: SIGTERM)
string signal, s: Signal to send to the container
string exec-id: Process ID to kill
bool all, a: Send signal to all processes inside the container
# tasks metrics ~ metric ~ CONTAINER
Get a single data point of metrics for a task with the built-in Linux runtime
string format =table: "table" or "json"
# tasks pause ~  ~ CONTAINER
Pause an existing container
# tasks ps ~  ~ CONTAINER
List processes for container
# tasks resume ~  ~ CONTAINER
Resume a paused container
# tasks start ~  ~ CONTAINER
Start a container that has been created
bool no-pivot: Disable use of pivot-root (linux only)
bool null-io: Send all IO to /dev/null
string log-uri: Log uri
string fifo-dir: Directory used for storing IO FIFOs
string pid-file: File path to write the task's pid
bool detach, d: Detach from the task after it has started execution
# install ~  ~ <ref>
Install a new package
| install a new package
bool libs, l: Install libs from the image
bool replace, r: Replace any binaries or libs in the opt directory
string path: Set an optional install path other than the managed opt directory
# oci ~  ~
OCI tools
# oci spec ~  ~
See the output of the default OCI spec
string platform: Platform of the spec to print (Examples: 'linux/arm64', 'windows/amd64')
# sandboxes ~ sandbox, sb, s ~
Manage sandboxes
# sandboxes run ~ create, c, r ~ [flags] <pod-config.json> <sandbox-id>
Run a new sandbox
string runtime =io.containerd.runc.v2: Runtime name
# sandboxes list ~ ls ~
List sandboxes
slice filters: The list of filters to apply when querying sandboxes from the store
# sandboxes remove ~ rm ~ <id> [<id>, ...]
Remove sandboxes
bool force, f: Ignore shutdown errors when removing sandbox
# sandboxes info ~ i ~ <sandbox id>
Get info about a sandbox
# info ~  ~
Print the server info
# deprecations ~  ~
.
# deprecations list ~  ~
Print warnings for deprecations
string format: output format to use (Examples: 'default', 'json')
# shim ~  ~
Interact with a shim directly
string id: shim ID
string shim-address =computed from shim ID: shim address
# shim delete ~  ~
Delete a container with a task
# shim exec ~  ~
Exec a new process in the task's container
string stdin: Specify the path to the stdin fifo
string stdout: Specify the path to the stdout fifo
string stderr: Specify the path to the stderr fifo
bool tty, t: Enable tty support
bool attach, a: Stay attached to the container and open the fifos
slice env, e: Add environment vars
string cwd: Current working directory
string spec: Runtime spec
# shim start ~  ~
Start a container with a task
# shim state ~  ~
Get the state of all main process of the task
string task-id, t: task ID
int api-version =3: shim API version {2,3}
# shim shutdown ~  ~
Shutdown shim if there is no active container
int api-version =3: shim API version {2,3}
"""
