"""Flags and commands of nerdctl that Slipway has nothing for: what is inert, and what is refused as not simulated (see `engine/flagspec.py`)."""

from __future__ import annotations

#: Accepted; nothing here reads them.
INERT: dict[str, str] = {
    "commit": """
--estargz-chunk-size int =0  eStargz chunk size
--estargz-compression-level int =9  eStargz compression level (1-9)
--estargz-min-chunk-size int =0  The minimal number of bytes of data must be written in one gzip stream
--zstdchunked-chunk-size int =0  zstd:chunked chunk size
--zstdchunked-compression-level int =3  zstd:chunked compression level
""",
    "image convert": """
--estargz-min-chunk-size int =0  The minimal number of bytes of data must be written in one gzip stream. (requires stargz-snapshotter >= v0.13.0)
--zstd-compression-level int =3  zstd compression level
--zstdchunked-chunk-size int =0  zstd:chunked chunk size
--zstdchunked-compression-level int =3  zstd:chunked compression level
""",
    "run": """
--blkio-weight uint16 =0  Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)
--blkio-weight-device stringArray  Block IO weight (relative device weight) (default [])
--cgroup-conf strings  Configure cgroup v2 (key=value)
--detach-keys string =ctrl-p,ctrl-q  Override the default detach keys
--dns-opt strings  Set DNS options
--kernel-memory string  Kernel memory limit (deprecated)
""",
    "update": """
--kernel-memory string  Kernel memory limit (deprecated)
""",
}
#: They would change what a command does.
REFUSED: dict[str, str] = {
    "commit": """
--compression string =gzip  commit compression algorithm (zstd or gzip)
--estargz  Convert the committed layer to eStargz for lazy pulling
--format string =docker  Format of the committed image (docker or oci)
--zstdchunked  Convert the committed layer to zstd:chunked for lazy pulling
""",
    "build": """
--allow stringArray  Allow extra privileged entitlement, e.g. network.host, security.insecure
--attest stringArray  Attestation parameters (format: "type=sbom,generator=image")
--provenance string  Shorthand for "--attest=type=provenance"
--sbom string  Shorthand for "--attest=type=sbom"
--source-policy-file string  BuildKit source policy file (see https://github.com/moby/buildkit/blob/master/docs/build-repro.md)
""",
    "image convert": """
--erofs string  Convert image layers to EROFS media type. Supported values: raw, zstd
--erofs-compressors string  Specify mkfs.erofs compressor options (e.g. 'lz4hc,12')
--erofs-mkfs-options string  Specify extra mkfs.erofs options (e.g. '-T0 --mkfs-time')
--estargz-external-toc  Separate TOC JSON into another image (called "TOC image"). The name of TOC image is the original + "-esgztoc" suffix. Both eStargz and the TOC image should be pushed to the same registry. (requires stargz-snapshotter >= v0.13.0) (EXPERIMENTAL)
--estargz-keep-diff-id  Convert to esgz without changing diffID (cannot be used in conjunction with '--estargz-record-in'. must be specified with '--estargz-external-toc')
--overlaybd-dbstr string  Database config string for overlaybd
--overlaybd-fs-type string =ext4  Filesystem type for overlaybd
--overlaybd-vsize int =64  Virtual block device size in GB for overlaybd
--soci  Convert image to SOCI Index V2 format.
--soci-min-layer-size int64 =-1  The minimum size of layers that will be converted to SOCI Index V2 format
--soci-span-size int64 =-1  The size of SOCI spans
--zstdchunked-record-in string  Read 'ctr-remote optimize --record-out=<FILE>' record file (EXPERIMENTAL)
""",
    "network create": """
--aux-address stringArray  Auxiliary IPv4 or IPv6 addresses used by Network driver, as name=IP pairs. The IPs are reserved and never assigned to containers
--ipv4 =true  Enable IPv4 networking (set to false together with --ipv6 for an IPv6-only network)
""",
    "pull": """
--cosign-certificate-identity string  The identity expected in a valid Fulcio certificate for --verify=cosign. Valid values include email address, DNS names, IP addresses, and URIs. Either --cosign-certificate-identity or --cosign-certificate-identity-regexp must be set for keyless flows
--cosign-certificate-identity-regexp string  A regular expression alternative to --cosign-certificate-identity for --verify=cosign. Accepts the Go regular expression syntax described at https://golang.org/s/re2syntax. Either --cosign-certificate-identity or --cosign-certificate-identity-regexp must be set for keyless flows
--cosign-certificate-oidc-issuer string  The OIDC issuer expected in a valid Fulcio certificate for --verify=cosign,, e.g. https://token.actions.githubusercontent.com or https://oauth2.sigstore.dev/auth. Either --cosign-certificate-oidc-issuer or --cosign-certificate-oidc-issuer-regexp must be set for keyless flows
--cosign-certificate-oidc-issuer-regexp string  A regular expression alternative to --certificate-oidc-issuer for --verify=cosign,. Accepts the Go regular expression syntax described at https://golang.org/s/re2syntax. Either --cosign-certificate-oidc-issuer or --cosign-certificate-oidc-issuer-regexp must be set for keyless flows
--soci-index-digest string  Specify a particular index digest for SOCI. If left empty, SOCI will automatically use the index determined by the selection policy.
""",
    "push": """
--notation-key-name string  Signing key name for a key previously added to notation's key list for --sign=notation
--soci-min-layer-size int64 =-1  Minimum layer size to build zTOC for. Smaller layers won't have zTOC and not lazy pulled. Default is 10 MiB.
--soci-span-size int64 =-1  Span size that soci index uses to segment layer data. Default is 4 MiB.
""",
    "run": """
--cgroupns string =private  Cgroup namespace to use, the default depends on the cgroup version ("host"|"private")
--cosign-certificate-identity string  The identity expected in a valid Fulcio certificate for --verify=cosign. Valid values include email address, DNS names, IP addresses, and URIs. Either --cosign-certificate-identity or --cosign-certificate-identity-regexp must be set for keyless flows
--cosign-certificate-identity-regexp string  A regular expression alternative to --cosign-certificate-identity for --verify=cosign. Accepts the Go regular expression syntax described at https://golang.org/s/re2syntax. Either --cosign-certificate-identity or --cosign-certificate-identity-regexp must be set for keyless flows
--cosign-certificate-oidc-issuer string  The OIDC issuer expected in a valid Fulcio certificate for --verify=cosign, e.g. https://token.actions.githubusercontent.com or https://oauth2.sigstore.dev/auth. Either --cosign-certificate-oidc-issuer or --cosign-certificate-oidc-issuer-regexp must be set for keyless flows
--cosign-certificate-oidc-issuer-regexp string  A regular expression alternative to --certificate-oidc-issuer for --verify=cosign. Accepts the Go regular expression syntax described at https://golang.org/s/re2syntax. Either --cosign-certificate-oidc-issuer or --cosign-certificate-oidc-issuer-regexp must be set for keyless flows
--init-binary string =tini  The custom binary to use as the init process
--rdt-class string  Name of the RDT class (or CLOS) to associate the container with
--rootfs  The first argument is not an image but the rootfs to the exploded container
""",
    "start": """
--checkpoint string  checkpoint name
""",
}
#: Groups of commands: name → (description, its commands and theirs).
COMMANDS: dict[str, tuple[str, dict[str, str]]] = {
    "apparmor": (
        "Manage AppArmor profiles",
        {
            "inspect": 'Display the default AppArmor profile "nerdctl-default". Other profiles cannot be displayed with this command.',
            "load": 'Load the default AppArmor profile "nerdctl-default". Requires root.',
            "ls": "List the loaded AppArmor profiles",
            "unload": 'Unload an AppArmor profile. The target profile name defaults to "nerdctl-default". Requires root.',
        },
    ),
    "checkpoint": (
        "Manage checkpoints.",
        {
            "create": "Create a checkpoint from a running container",
            "ls": "List checkpoints for a container",
            "rm": "Remove a checkpoint",
        },
    ),
    "manifest": (
        "Manage image manifests.",
        {
            "annotate": "Add additional information to a local image manifest",
            "create": "Create a local index/manifest list for annotating and pushing to a registry",
            "inspect": "Display the contents of a manifest or image index/manifest list",
            "push": "Push a manifest list to a registry",
            "rm": "Remove one or more index/manifest lists",
        },
    ),
    "completion": (
        "Generate the autocompletion script for the specified shell",
        {
            "bash": "Generate the autocompletion script for bash",
            "fish": "Generate the autocompletion script for fish",
            "powershell": "Generate the autocompletion script for powershell",
            "zsh": "Generate the autocompletion script for zsh",
        },
    ),
}
