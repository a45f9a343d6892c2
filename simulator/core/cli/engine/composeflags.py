"""The flags of `docker compose`, as its help texts name them: command → one line a flag (see `engine/flagspec.py`)."""

from __future__ import annotations

FLAGS: dict[str, str] = {
    "compose": """
--all-resources  Include all resources, even those not used by services
--ansi string =auto  Control when to print ANSI control characters ("never"|"always"|"auto")
--compatibility  Run compose in backward compatibility mode
--dry-run  Execute command in dry run mode
--env-file stringArray  Specify an alternate environment file
-f, --file stringArray  Compose configuration files
--parallel int =-1  Control max parallelism, -1 for unlimited
--profile stringArray  Specify a profile to enable
--progress string  Set type of progress output (auto, tty, plain, json, quiet)
--project-directory string  Specify an alternate working directory (default: the path of the, first specified, Compose file)
-p, --project-name string  Project name
""",
    "compose attach": """
--detach-keys string  Override the key sequence for detaching from a container.
--index int =0  index of the container if service has multiple replicas.
--no-stdin  Do not attach STDIN
--sig-proxy =true  Proxy all received signals to the process
""",
    "compose build": """
--build-arg stringArray  Set build-time variables for services
--builder string  Set builder to use
--check  Check build configuration
-m, --memory bytes =0  Set memory limit for the build container. Not supported by BuildKit.
--no-cache  Do not use cache when building the image
--print  Print equivalent bake file
--provenance string  Add a provenance attestation
--pull  Always attempt to pull a newer version of the image
--push  Push service images
-q, --quiet  Suppress the build output
--sbom string  Add a SBOM attestation
--ssh string  Set SSH authentications used when building service images. (use 'default' for using your default SSH Agent)
--with-dependencies  Also build dependencies (transitively)
""",
    "compose commit": """
-a, --author string  Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
-c, --change list  Apply Dockerfile instruction to the created image
--index int =0  index of the container if service has multiple replicas.
-m, --message string  Commit message
-p, --pause =true  Pause container during commit
""",
    "compose config": """
--environment  Print environment used for interpolation.
--format string  Format the output. Values: [yaml | json]
--hash string  Print the service config hash, one per line.
--images  Print the image names, one per line.
--lock-image-digests  Produces an override file with image digests
--models  Print the model names, one per line.
--networks  Print the network names, one per line.
--no-consistency  Don't check model consistency - warning: may produce invalid Compose output
--no-env-resolution  Don't resolve service env files
--no-interpolate  Don't interpolate environment variables
--no-normalize  Don't normalize compose model
--no-path-resolution  Don't resolve file paths
-o, --output string  Save to file (default to stdout)
--profiles  Print the profile names, one per line.
-q, --quiet  Only validate the configuration, don't print anything
--resolve-image-digests  Pin image tags to digests
--services  Print the service names, one per line.
--variables  Print model variables and default values.
--volumes  Print the volume names, one per line.
""",
    "compose cp": """
--all  Include containers created by the run command
-a, --archive  Archive mode (copy all uid/gid information)
-L, --follow-link  Always follow symbol link in SRC_PATH
--index int =0  Index of the container if service has multiple replicas
""",
    "compose create": """
--build  Build images before starting containers
--force-recreate  Recreate containers even if their configuration and image haven't changed
--no-build  Don't build an image, even if it's policy
--no-recreate  If containers already exist, don't recreate them. Incompatible with --force-recreate.
--pull string =policy  Pull image before running ("always"|"missing"|"never"|"build")
--quiet-pull  Pull without printing progress information
--remove-orphans  Remove containers for services not defined in the Compose file
--scale stringArray  Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present.
-y, --yes  Assume "yes" as answer to all prompts and run non-interactively
""",
    "compose down": """
--remove-orphans  Remove containers for services not defined in the Compose file
--rmi string  Remove images used by services. "local" remove only images that don't have a custom tag ("local"|"all")
-t, --timeout int =0  Specify a shutdown timeout in seconds
-v, --volumes  Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers
""",
    "compose events": """
--json  Output events as a stream of json objects
--since string  Show all events created since timestamp
--until string  Stream events until this timestamp
""",
    "compose exec": """
-d, --detach  Detached mode: Run command in the background
-e, --env stringArray  Set environment variables
--index int =0  Index of the container if service has multiple replicas
-T, --no-tty =true  Disable pseudo-TTY allocation. By default 'docker compose exec' allocates a TTY.
--privileged  Give extended privileges to the process
-u, --user string  Run the command as this user
-w, --workdir string  Path to workdir directory for this command
""",
    "compose export": """
--index int =0  index of the container if service has multiple replicas.
-o, --output string  Write to a file, instead of STDOUT
""",
    "compose images": """
--format string =table  Format the output. Values: [table | json]
-q, --quiet  Only display IDs
""",
    "compose kill": """
--remove-orphans  Remove containers for services not defined in the Compose file
-s, --signal string =SIGKILL  SIGNAL to send to the container
""",
    "compose logs": """
-f, --follow  Follow log output
--index int =0  index of the container if service has multiple replicas
--no-color  Produce monochrome output
--no-log-prefix  Don't print prefix in logs
--since string  Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
-n, --tail string =all  Number of lines to show from the end of the logs for each container
-t, --timestamps  Show timestamps
--until string  Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
""",
    "compose ls": """
-a, --all  Show all stopped Compose projects
--filter filter  Filter output based on conditions provided
--format string =table  Format the output. Values: [table | json]
-q, --quiet  Only display project names
""",
    "compose pause": """
""",
    "compose port": """
--index int =0  Index of the container if service has multiple replicas
--protocol string =tcp  tcp or udp
""",
    "compose ps": """
-a, --all  Show all stopped containers (including those created by the run command)
--filter string  Filter services by a property (supported filters: status)
--format string  @table
--no-trunc  Don't truncate output
--orphans =true  Include orphaned services (not declared by project)
-q, --quiet  Only display IDs
--services  Display services
--status stringArray  Filter services by status. Values: [paused | restarting | removing | running | dead | created | exited]
""",
    "compose pull": """
--ignore-buildable  Ignore images that can be built
--ignore-pull-failures  Pull what it can and ignores images with pull failures
--include-deps  Also pull services declared as dependencies
--policy string  Apply pull policy ("missing"|"always")
-q, --quiet  Pull without printing progress information
""",
    "compose push": """
--ignore-push-failures  Push what it can and ignores images with push failures
--include-deps  Also push images of services declared as dependencies
-q, --quiet  Push without printing progress information
""",
    "compose restart": """
--no-deps  Don't restart dependent services
-t, --timeout int =0  Specify a shutdown timeout in seconds
""",
    "compose rm": """
-f, --force  Don't ask to confirm removal
-s, --stop  Stop the containers, if required, before removing
-v, --volumes  Remove any anonymous volumes attached to containers
""",
    "compose run": """
--build  Build image before starting container
--cap-add list  Add Linux capabilities
--cap-drop list  Drop Linux capabilities
-d, --detach  Run container in background and print container ID
--entrypoint string  Override the entrypoint of the image
-e, --env stringArray  Set environment variables
--env-from-file stringArray  Set environment variables from file
-i, --interactive =true  Keep STDIN open even if not attached
-l, --label stringArray  Add or override a label
--name string  Assign a name to the container
--no-deps  Don't start linked services
-T, --no-tty =true  Disable pseudo-TTY allocation (default: auto-detected)
-p, --publish stringArray  Publish a container's port(s) to the host
--pull string =policy  Pull image before running ("always"|"missing"|"never")
-q, --quiet  Don't print anything to STDOUT
--quiet-build  Suppress progress output from the build process
--quiet-pull  Pull without printing progress information
--remove-orphans  Remove containers for services not defined in the Compose file
--rm  Automatically remove the container when it exits
-P, --service-ports  Run command with all service's ports enabled and mapped to the host
--use-aliases  Use the service's network useAliases in the network(s) the container connects to
-u, --user string  Run as specified username or uid
-v, --volume stringArray  Bind mount a volume
-w, --workdir string  Working directory inside the container
""",
    "compose scale": """
--no-deps  Don't start linked services
""",
    "compose start": """
--wait  Wait for services to be running|healthy. Implies detached mode.
--wait-timeout int =0  Maximum duration in seconds to wait for the project to be running|healthy
""",
    "compose stats": """
-a, --all  Show all containers (default shows just running)
--format string  @table
--no-stream  Disable streaming stats and only pull the first result
--no-trunc  Do not truncate output
""",
    "compose stop": """
-t, --timeout int =0  Specify a shutdown timeout in seconds
""",
    "compose top": """
""",
    "compose unpause": """
""",
    "compose up": """
--abort-on-container-exit  Stops all containers if any container was stopped. Incompatible with -d
--abort-on-container-failure  Stops all containers if any container exited with failure. Incompatible with -d
--always-recreate-deps  Recreate dependent containers. Incompatible with --no-recreate.
--attach stringArray  Restrict attaching to the specified services. Incompatible with --attach-dependencies.
--attach-dependencies  Automatically attach to log output of dependent services
--build  Build images before starting containers
-d, --detach  Detached mode: Run containers in the background
--exit-code-from string  Return the exit code of the selected service container. Implies --abort-on-container-exit
--force-recreate  Recreate containers even if their configuration and image haven't changed
--menu  Enable interactive shortcuts when running attached. Incompatible with --detach. Can also be enable/disable by setting COMPOSE_MENU environment var.
--no-attach stringArray  Do not attach (stream logs) to the specified services
--no-build  Don't build an image, even if it's policy
--no-color  Produce monochrome output
--no-deps  Don't start linked services
--no-log-prefix  Don't print prefix in logs
--no-recreate  If containers already exist, don't recreate them. Incompatible with --force-recreate.
--no-start  Don't start the services after creating them
--pull string =policy  Pull image before running ("always"|"missing"|"never")
--quiet-build  Suppress the build output
--quiet-pull  Pull without printing progress information
--remove-orphans  Remove containers for services not defined in the Compose file
-V, --renew-anon-volumes  Recreate anonymous volumes instead of retrieving data from the previous containers
--scale stringArray  Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present.
-t, --timeout int =0  Use this timeout in seconds for container shutdown when attached or when containers are already running
--timestamps  Show timestamps
--wait  Wait for services to be running|healthy. Implies detached mode.
--wait-timeout int =0  Maximum duration in seconds to wait for the project to be running|healthy
-w, --watch  Watch source code and rebuild/refresh containers when files are updated.
-y, --yes  Assume "yes" as answer to all prompts and run non-interactively
""",
    "compose version": """
-f, --format string  Format the output. Values: [pretty | json]. (Default: pretty)
--short  Shows only Compose's version number
""",
    "compose volumes": """
--format string =table  @table
-q, --quiet  Only display volume names
""",
    "compose wait": """
--down-project  Drops project when the first container stops
""",
    "compose watch": """
--no-up  Do not build & start services before watching
--prune =true  Prune dangling images on rebuild
--quiet  hide build output
""",
}
