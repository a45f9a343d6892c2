"""The texts of crictl's commands and flags, as its help shows them (see `urfave_tree.py`)."""

from __future__ import annotations

TEXT = r"""
# attach ~  ~ CONTAINER-ID
Attach to a running container
bool stdin, i: Keep STDIN open
string tls-ca: Path to the streaming TLS CA certificate
string tls-cert: Path to the streaming TLS certificate
string tls-key: Path to the streaming TLS key
string tls-sni, tls-server-name =localhost: Server name used in the TLS client to check server certificates against
string transport, r =spdy: Transport protocol to use, one of: spdy|websocket
bool tty, t: Allocate a pseudo-TTY
# checkpoint ~  ~ CONTAINER-ID [CONTAINER-ID...]
Checkpoint one or more running containers
string export, e: Specify the name of the tar archive (/path/to/checkpoint.tar) used to export the checkpoint image.
# completion ~  ~ SHELL
Output shell completion code
| Output shell completion code for bash, zsh or fish.
|
| Examples:
|
|     # Installing bash completion on Linux
|     source <(crictl completion bash)
|
|     # Installing zsh completion on Linux
|     source <(crictl completion zsh)
|
|     # Installing fish completion on Linux
|     crictl completion fish | source
|
# config ~  ~ [<crictl options>]
Get, set and list crictl configuration options
string get: Show the option value
bool list: Show all option value
slice set: Set option (can specify multiple or separate values with commas: opt1=val1,opt2=val2)
# create ~  ~ POD container-config.[json|yaml] pod-config.[json|yaml]
Create a new container
string auth $CRICTL_AUTH: Use `AUTH_STRING` for accessing the registry. AUTH_STRING is a base64 encoded 'USERNAME[:PASSWORD]'
duration cancel-timeout, T: Seconds to wait for the request to complete before cancelling
string creds $CRICTL_CREDS: Use `USERNAME[:PASSWORD]` for accessing the registry
bool no-pull: Do not pull the image on container creation (overrides pull-image-on-create=true in config)
duration pull-timeout, pt $CRICTL_PULL_TIMEOUT: Maximum time to be used for pulling the image, disabled if set to 0s
string username, u: Use `USERNAME` for accessing the registry. The password will be requested on the command line
bool with-pull: Pull the image on container creation (overrides pull-image-on-create=false in config)
# create jsonschema ~ js ~
Display the JSON schema for the pod or container config
bool pod, p: Print the pod JSON schema, which will be generated from the PodSandboxConfig of the CRI API compiled with this version of crictl
bool container, c: Print the container JSON schema, which will be generated from the ContainerConfig of the CRI API compiled with this version of crictl
# events ~ event ~
Stream the events of containers
string output, o =json: Output format, One of: json|yaml|go-template
string template: The template string is only used when output is go-template; The Template format is golang template
# exec ~  ~ [CONTAINER-ID] COMMAND [ARG...]
Run a command in a running container
| The CONTAINER-ID is only required if none of the following filter flags are set:
| --image, --label, --last, --latest, --name, --pod, --state
bool ignore-errors, e: Ignore errors during command execution
string image: Exec command for all containers matching this container image filter
bool interactive, i: Keep STDIN open
slice label: Exec command for all containers matching this key=value label filter
int last, n: Exec command for all last n containers, set to 0 for unlimited
bool latest, l: Exec command for the most recently created container
string name: Exec command for all containers matching this name filter regular expression pattern
bool parallel, x: Run the command in parallel if multiple containers are selected
string pod, p: Exec command for all containers matching this pod ID filter
bool quiet, q: Do not print the container ID if multiple containers are selected
string state: Exec command for all containers matching this container state filter
bool sync, s: Run the command synchronously
int timeout: Timeout in seconds
string tls-ca: Path to the streaming TLS CA certificate
string tls-cert: Path to the streaming TLS certificate
string tls-key: Path to the streaming TLS key
string tls-sni, tls-server-name =localhost: Server name used in the TLS client to check server certificates against
string transport, r =spdy: Transport protocol to use, one of: spdy|websocket
bool tty, t: Allocate a pseudo-TTY
# imagefsinfo ~  ~
Return image filesystem info
string output, o: Output format, One of: json|yaml|go-template|table
string template: The template string is only used when output is go-template; The Template format is golang template
# images ~ image, img ~ [REPOSITORY[:TAG]]
List images
bool digests: Show digests
slice filter, f: Filter output based on provided conditions.\n      Available filters: \n      * dangling=(boolean - true or false)\n      * reference=/regular expression/\n      * before=<image-name>[:<tag>]|<image id>|<image@digest>\n      * since=<image-name>[:<tag>]|<image id>|<image@digest>\n      Multiple filters can be combined together.
bool no-trunc: Show output without truncating the ID
string output, o: Output format, One of: json|yaml|table
bool pinned: Show whether the image is pinned or not
bool quiet, q: Only show image IDs
bool verbose, v: Show verbose info for images
# info ~  ~
Display information of the container runtime
string output, o =json: Output format, One of: json|yaml|go-template
bool quiet, q: Do not show verbose information
string template: The template string is only used when output is go-template; The Template format is golang template
# inspect ~  ~ CONTAINER-ID [CONTAINER-ID...]
Display the status of one or more containers
bool all, a: Show all containers
string image: Filter by container image
slice label: Filter by key=value label
int last, n: Show last n recently created containers (includes all states). Set 0 for unlimited.
bool latest, l: Show the most recently created container (includes all states)
string name: Filter by container name regular expression pattern
string namespace: Filter by pod namespace regular expression pattern
string output, o: Output format, One of: json|yaml|go-template|table
string pod, p: Filter by pod id
bool quiet, q: Do not show verbose information
string state, s: Filter by container state
string template: The template string is only used when output is go-template; The Template format is golang template
# inspecti ~  ~ IMAGE-ID [IMAGE-ID...]
Return the status of one or more images
slice filter, f: Filter output based on provided conditions.\n      Available filters: \n      * dangling=(boolean - true or false)\n      * reference=/regular expression/\n      * before=<image-name>[:<tag>]|<image id>|<image@digest>\n      * since=<image-name>[:<tag>]|<image id>|<image@digest>\n      Multiple filters can be combined together.
string name: Filter by image name
string output, o: Output format, One of: json|yaml|go-template|table
bool quiet, q: Do not show verbose information
string template: The template string is only used when output is go-template; The Template format is golang template
# inspectp ~  ~ POD-ID [POD-ID...]
Display the status of one or more pods
slice label: Filter by key=value label
int last, n: Show last n recently created pods. Set 0 for unlimited
bool latest, l: Show the most recently created pod
string name: Filter by pod name regular expression pattern
string namespace: Filter by pod namespace regular expression pattern
string output, o: Output format, One of: json|yaml|go-template|table
bool quiet, q: Do not show verbose information
string state, s: Filter by pod state
string template: The template string is only used when output is go-template; The Template format is golang template
# logs ~  ~ CONTAINER-ID
Fetch the logs of a container
bool follow, f: Follow log output
int limit-bytes =-1: Maximum bytes of logs to return. Defaults to no limit
bool previous, p: Print the logs for the previous instance of the container in a pod if it exists
bool reopen, r: Reopen the container logs for the provided container
string since: Show logs since timestamp (e.g. 2013-01-02T13:23:37) or relative (e.g. 42m for 42 minutes)
string stream, s: Show specified stream (stdout or stderr). Defaults to both.
int tail =-1: Number of lines to show from the end of the logs. Defaults to all
bool timestamps, t: Show timestamps
# metricdescs ~  ~
List metric descriptors. Returns information about the metrics available through the CRI.
string output, o: Output format, One of: json|yaml
# metricsp ~  ~
List pod metrics. Metrics are unstructured key/value pairs gathered by CRI meant to replace cAdvisor's /metrics/cadvisor endpoint.
string output, o: Output format, One of: json|yaml
bool watch, w: Watch pod metrics
# pods ~  ~
List pods
string id: filter by pod id
slice label: Filter by key=value label
int last, n: Show last n recently created pods. Set 0 for unlimited
bool latest, l: Show the most recently created pod
string name: Filter by pod name regular expression pattern
string namespace: Filter by pod namespace regular expression pattern
bool no-trunc: Show output without truncating the ID
string output, o =table: Output format, One of: json|yaml|table
bool quiet, q: List only pod IDs
string state, s: Filter by pod state
bool verbose, v: Show verbose info for pods
# port-forward ~  ~ POD-ID [LOCAL_PORT:]REMOTE_PORT
Forward local port to a pod
string tls-ca: Path to the streaming TLS CA certificate
string tls-cert: Path to the streaming TLS certificate
string tls-key: Path to the streaming TLS key
string tls-sni, tls-server-name =localhost: Server name used in the TLS client to check server certificates against
string transport, r =spdy: Transport protocol to use, one of: spdy|websocket
# ps ~  ~
List containers
bool all, a: Show all containers
string id: Filter by container id
string image: Filter by container image
slice label: Filter by key=value label
int last, n: Show last n recently created containers (includes all states). Set 0 for unlimited.
bool latest, l: Show the most recently created container (includes all states)
string name: Filter by container name regular expression pattern
string namespace: Filter by pod namespace regular expression pattern
bool no-trunc: Show output without truncating the ID
string output, o =table: Output format, One of: json|yaml|table
string pod, p: Filter by pod id
bool quiet, q: Only display container IDs
bool resolve-image-path, r: Show image path instead of image id
string state, s: Filter by container state
bool verbose, v: Show verbose information for containers
# pull ~  ~ NAME[:TAG|@DIGEST]
Pull an image from a registry
slice annotation, a: Annotation to be set on the pulled image
string auth $CRICTL_AUTH: Use `AUTH_STRING` for accessing the registry. AUTH_STRING is a base64 encoded 'USERNAME[:PASSWORD]'
string creds $CRICTL_CREDS: Use `USERNAME[:PASSWORD]` for accessing the registry
string pod-config: Use `pod-config.[json|yaml]` to override the pull c
duration pull-timeout, pt $CRICTL_PULL_TIMEOUT: Maximum time to be used for pulling the image, disabled if set to 0s
string username, u: Use `USERNAME` for accessing the registry. The password will be requested on the command line
# pull jsonschema ~ js ~
Display the JSON schema for the pod-config.json,
# rm ~  ~ CONTAINER-ID [CONTAINER-ID...]
Remove one or more containers
bool all, a: Remove all containers
bool force, f: Force removal of the container, disregarding if running
bool keep-logs, k: Preserve the container log file and its rotations
# rmi ~  ~ IMAGE-ID [IMAGE-ID...]
Remove one or more images
| Remove one or more images by ID or reference.
|
| NOTE: Due to CRI API limitations, when you specify an image by tag (e.g., 'localhost/test:latest'),
| the entire image will be removed along with ALL of its tags, not just the specified tag.
| This behavior differs from 'docker rmi', 'nerdctl rmi', and 'ctr image rm', which only remove
| the specified tag. To remove only a specific tag, use the container runtime's native CLI tool
| (e.g., 'nerdctl', 'ctr', or 'podman').
bool all, a: Remove all images
bool prune, q: Remove all unused images
# rmp ~  ~ POD-ID [POD-ID...]
Remove one or more pods
bool all, a: Remove all pods
bool force, f: Force removal of the pod sandbox, disregarding if running
# run ~  ~ container-config.[json|yaml] pod-config.[json|yaml]
Run a new container inside a sandbox
string auth $CRICTL_AUTH: Use `AUTH_STRING` for accessing the registry. AUTH_STRING is a base64 encoded 'USERNAME[:PASSWORD]'
duration cancel-timeout, T: Seconds to wait for the request to complete before cancelling
string creds $CRICTL_CREDS: Use `USERNAME[:PASSWORD]` for accessing the registry
bool no-pull: Do not pull the image (overrides disable-pull-on-run=false in config)
duration pull-timeout, pt $CRICTL_PULL_TIMEOUT: Maximum time to be used for pulling the image, disabled if set to 0s
string runtime, r: Runtime handler to use. Available options are defined by the container runtime.
string username, u: Use `USERNAME` for accessing the registry. The password will be requested on the command line
bool with-pull: Pull the image (overrides disable-pull-on-run=true in config)
# run jsonschema ~ js ~
Display the JSON schema for the pod or container config
bool pod, p: Print the pod JSON schema, which will be generated from the PodSandboxConfig of the CRI API compiled with this version of crictl
bool container, c: Print the container JSON schema, which will be generated from the ContainerConfig of the CRI API compiled with this version of crictl
# runp ~  ~ pod-config.[json|yaml]
Run a new pod
duration cancel-timeout, T: Seconds to wait for a run pod sandbox request to complete before cancelling the request
string runtime, r: Runtime handler to use. Available options are defined by the container runtime.
# runp jsonschema ~ js ~
Display the JSON schema for the pod-config.json
# runtime-config ~  ~
Retrieve the container runtime configuration
# start ~  ~ CONTAINER-ID [CONTAINER-ID...]
Start one or more created containers
# stats ~  ~ [ID]
List container(s) resource usage statistics
bool all, a: Show all containers (default shows just running)
string id: Filter by container id
slice label: Filter by key=value label
string output, o: Output format, One of: json|yaml|table
string pod, p: Filter by pod id
int seconds, s =1: Sample duration for CPU usage in seconds
bool watch, w: Watch pod resources
# statsp ~  ~ [ID]
List pod statistics. Stats represent a structured API that will fulfill the Kubelet's /stats/summary endpoint.
string id: Filter by pod id
slice label: Filter by key=value label
string output, o: Output format, One of: json|yaml|table
int seconds, s =1: Sample duration for CPU usage in seconds
bool watch, w: Watch pod resources
# stop ~  ~ CONTAINER-ID [CONTAINER-ID...]
Stop one or more running containers
bool all, a: Stop all running containers
int timeout, t: Seconds to wait to kill the container after a graceful stop is requested
# stopp ~  ~ POD-ID [POD-ID...]
Stop one or more running pods
# update ~  ~ CONTAINER-ID [CONTAINER-ID...]
Update one or more running containers
int cpu-count: (Windows only) Number of CPUs available to the container
int cpu-maximum: (Windows only) Portion of CPU cycles specified as a percentage * 100
int cpu-period: CPU CFS period to be used for hardcapping (in usecs). 0 to use system default
int cpu-quota: CPU CFS hardcap limit (in usecs). Allowed cpu time in a given period
int cpu-share: CPU shares (relative weight vs. other containers)
string cpuset-cpus: CPU(s) to use
string cpuset-mems: Memory node(s) to use
int memory: Memory limit (in bytes)
string oom-score-adj: OOM Killer score to use
# update-runtime-config ~  ~
Update the runtime configuration
string pod-cidr, p: The new Classless Inter-Domain Routing (CIDR) value to be used for pod IP addresses. If the CIDR is empty, runtimes should omit it.
# version ~  ~
Display runtime version information
"""

#: What the help of `config` says besides.
CONFIG_HELP = """
EXAMPLES:
   # Set the key "debug" to "true"
   crictl config --set debug=true

   # Set the key "debug" to "true"
   crictl config debug true

   # Get the value of "debug"
   crictl config --get debug

   # Show the full configuration
   crictl config --list

CRICTL OPTIONS:
   runtime-endpoint:      Container Runtime Interface (CRI) runtime endpoint (default: "")
   image-endpoint:        Container Runtime Interface (CRI) image endpoint (default: "")
   timeout:               Timeout of connecting to server (default: 2)
   debug:                 Enable debug output (default: false)
   pull-image-on-create:  Enable pulling image on create requests (default: false)
   disable-pull-on-run:   Disable pulling image on run requests (default: false)
   max-retries:           Max retries for connecting to an explicitly set endpoint (default: 3, 0 to disable, negative for infinite)
"""
