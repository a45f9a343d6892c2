"""Images that many manifests name and whose servers speak nothing that is simulated: they run, listen and write a log line.

A connection to them is reset; what they would do in a cluster (scrape, route, serve a page) is not simulated in Slipway yet.
"""

from __future__ import annotations

import msgspec

from .addons import pages as addons
from .build import Build

Row = tuple[Build, tuple[str, ...]]


def _server(repository: str, version: str, ports: str, *tags: str, userland: str = "alpine", program: str = "") -> Row:
    """A server that listens on `ports` ("80 443") and no more."""
    path = f"/usr/bin/{repository.rpartition('/')[2]}"
    return (
        Build(
            name=f"{repository}:{version}",
            layers=(3718, 24100 + len(repository) * 310, 1),
            entrypoint=(path,),
            ports=tuple(f"{port}/tcp" for port in ports.split()),
            userland=userland,
            programs=((path, program or f"listen:{ports.replace(' ', '+')}"),),
        ),
        ("latest", version, *tags),
    )


def _tool(
    repository: str, version: str, *tags: str, cmd: tuple[str, ...] = ("/bin/sh",), programs: tuple[tuple[str, str], ...] = ()
) -> Row:
    """An image of tools, whose command is a shell."""
    return (
        Build(name=f"{repository}:{version}", layers=(3718, 41000), cmd=cmd, userland="alpine", programs=programs),
        ("latest", version, *tags),
    )


def _page(repository: str, version: str, port: str, page: str, *tags: str) -> Row:
    """A sample that serves a page of programs/generic.py."""
    build, names = _server(repository, version, port, *tags, userland="debian", program=f"page:{port}/{page}")
    if page.startswith("bootcamp"):  # its lab has readers ask the server from inside
        build = msgspec.structs.replace(build, programs=(*build.programs, ("/usr/bin/curl", "curl")))
    return build, names


#: Releases of ingress-nginx, the newest first.
INGRESS_NGINX = tuple(
    """v1.14.0 v1.13.3 v1.13.2 v1.13.1 v1.13.0 v1.12.4 v1.12.3 v1.12.2 v1.12.1 v1.12.0 v1.11.5 v1.11.4 v1.11.3 v1.11.2 v1.11.1 v1.11.0
    v1.10.6 v1.10.1 v1.10.0 v1.9.6 v1.9.5 v1.9.4 v1.9.3 v1.9.1 v1.9.0 v1.8.5 v1.8.4 v1.8.2 v1.8.1 v1.8.0 v1.7.1 v1.7.0 v1.6.4 v1.5.1
    v1.4.0 v1.3.1 v1.3.0 v1.2.1 v1.2.0 v1.1.3 v1.1.2 v1.1.1 v1.1.0 v1.0.5 v1.0.4 v1.0.0""".split()
)


def _ingress_nginx(version: str) -> Row:
    """A release of the controller (its entrypoint is dumb-init, which runs what `args` name)."""
    program = f"nginx-ingress-controller:{version}"
    build = Build(
        name=f"registry.k8s.io/ingress-nginx/controller:{version}",
        layers=(3718, 102_400, 1, 4),
        entrypoint=("/usr/bin/dumb-init", "--"),
        cmd=("/nginx-ingress-controller",),
        ports=("443/tcp", "80/tcp"),
        user="www-data",
        userland="alpine",
        programs=(("/nginx-ingress-controller", program), ("/usr/bin/dumb-init", program), ("/wait-shutdown", "true"), *_CURL),
    )
    return build, (version,)


def _addon(
    repository: str, program: str, path: str, versions: tuple[str, ...], *more: tuple[str, str], user: str = ""
) -> tuple[Row, ...]:
    """An add-on's program in all releases whose manifests are served (runtime/addons)."""
    return tuple(
        (
            Build(
                name=f"{repository}:{version}",
                layers=(82, 18_400 + len(repository) * 97),
                entrypoint=(path,),
                user=user,
                programs=((path, f"{program}/{version}" if ":" in program else f"{program}:{version}"), *more),
            ),
            (version,),
        )
        for version in versions
    )


_CERT = "quay.io/jetstack/cert-manager"
ADDONS: tuple[Row, ...] = (
    *_addon("quay.io/metallb/controller", "metallb:controller", "/controller", addons.METALLB),
    *_addon("quay.io/metallb/speaker", "metallb:speaker", "/speaker", addons.METALLB),
    *_addon(f"{_CERT}-controller", "cert-manager:controller", "/app/cmd/controller/controller", addons.CERT_MANAGER, user="1000"),
    *_addon(f"{_CERT}-webhook", "cert-manager:webhook", "/app/cmd/webhook/webhook", addons.CERT_MANAGER, user="1000"),
    *_addon(f"{_CERT}-cainjector", "cert-manager:cainjector", "/app/cmd/cainjector/cainjector", addons.CERT_MANAGER, user="1000"),
    *(
        row
        for registry in ("docker.io/calico", "quay.io/calico")
        for row in (
            *_addon(f"{registry}/cni", "calico-install", "/opt/cni/bin/install", addons.CALICO),
            *_addon(f"{registry}/node", "calico-node", "/bin/calico-node", addons.CALICO),
            *_addon(
                f"{registry}/kube-controllers", "calico-kube-controllers", "/usr/bin/kube-controllers", addons.CALICO,
                ("/usr/bin/check-status", "calico-kube-controllers"),
            ),
        )
    ),
    *_addon("quay.io/tigera/operator", "tigera-operator", "/usr/local/bin/operator", ("v1.38.0",)),
)  # fmt: skip

_CURL = (("/usr/bin/curl", "curl"),)
_KUBECTL = (("/usr/local/bin/kubectl", "kubectl"), ("/opt/bitnami/kubectl/bin/kubectl", "kubectl"), *_CURL)

IMAGES: tuple[Row, ...] = (
    *ADDONS,
    _tool(
        "docker.io/nicolaka/netshoot",
        "v0.14",
        "v0.13",
        cmd=("zsh",),
        programs=(*_CURL, ("/bin/zsh", "bash"), ("/bin/bash", "bash")),
    ),
    _tool(
        "docker.io/bitnami/kubectl", "1.33.4", "1.33", "1.32", "1.31", "1.30", "1.29", "1.28", cmd=("kubectl",), programs=_KUBECTL
    ),
    _tool("registry.k8s.io/kubectl", "v1.36.2", "v1.35.5", "v1.34.0", "v1.33.0", cmd=("kubectl",), programs=_KUBECTL),
    _tool("docker.io/alpine/curl", "8.17.0", "8.14.1", programs=_CURL),
    _tool("docker.io/byrnedo/alpine-curl", "3.19", programs=_CURL),
    _tool("docker.io/radial/busyboxplus", "curl", programs=_CURL),
    _tool("docker.io/yauritux/busybox-curl", "1.0", programs=_CURL),
    _tool("docker.io/praqma/network-multitool", "alpine-extra", "extra", programs=_CURL),
    _tool("docker.io/wbitt/network-multitool", "alpine-extra", "extra", programs=_CURL),
    _tool("docker.io/tutum/dnsutils", "latest"),
    _tool("registry.k8s.io/e2e-test-images/jessie-dnsutils", "1.7", "1.3"),
    _tool("docker.io/alpine/git", "v2.49.1", "2.49.1"),
    _tool("docker.io/alpine/socat", "1.8.0.3"),
    _tool("docker.io/library/docker", "29.1.1", "dind", "29", "28", "27", "cli"),
    _tool("docker.io/library/centos", "7", "8", "centos7"),
    _tool("docker.io/library/fedora", "43", "42", "41", "40"),
    _tool("docker.io/library/rockylinux", "9", "8"),
    _tool("docker.io/library/amazonlinux", "2023", "2"),
    _page("gcr.io/google-samples/kubernetes-bootcamp", "v1", "8080", "bootcamp"),
    (*_page("gcr.io/google-samples/kubernetes-bootcamp", "v2", "8080", "bootcamp@2")[:1], ("v2",)),
    _page("docker.io/jocatalin/kubernetes-bootcamp", "v1", "8080", "bootcamp"),
    _page("ghcr.io/stefanprodan/podinfo", "6.9.4", "9898", "podinfo@6.9.4"),
    (*_page("ghcr.io/stefanprodan/podinfo", "6.9.3", "9898", "podinfo@6.9.3")[:1], ("6.9.3",)),
    (*_page("docker.io/jocatalin/kubernetes-bootcamp", "v2", "8080", "bootcamp@2")[:1], ("v2",)),
    _server(
        "docker.io/nginxinc/nginx-unprivileged",
        "1.29.4",
        "8080",
        "alpine",
        "stable",
        "1.29",
        "1.28",
        "1.27",
        "1.25",
        userland="debian",
    ),
    _page("docker.io/nginxdemos/hello", "0.4", "80", "hello", "plain-text"),
    _page("gcr.io/google-samples/hello-app", "1.0", "8080", "hello-app"),
    (*_page("gcr.io/google-samples/hello-app", "2.0", "8080", "hello-app@2")[:1], ("2.0",)),
    _page("us-docker.pkg.dev/google-samples/containers/gke/hello-app", "1.0", "8080", "hello-app"),
    (*_page("us-docker.pkg.dev/google-samples/containers/gke/hello-app", "2.0", "8080", "hello-app@2")[:1], ("2.0",)),
    _page("docker.io/katacoda/docker-http-server", "v1", "80", "katacoda", "v2", "health"),
    _page("gcr.io/google-samples/hello-go-gke", "1.0", "80", "hello-go"),
    _server("registry.k8s.io/goproxy", "0.1", "8080"),
    _page(
        "docker.io/library/wordpress",
        "6.8",
        "80",
        "wordpress",
        "6",
        "4.8-apache",
        "6.2-apache",
        "6.2.1-apache",
        "php8.2-apache",
        "apache",
    ),
    _page("registry.k8s.io/nginx-slim", "0.27", "80", "hello", "0.21", "0.24", "0.8"),
    _page("registry.k8s.io/hpa-example", "latest", "80", "hpa"),
    _page("registry.k8s.io/serve_hostname", "latest", "9376", "hostname", "v1.4"),
    _server("docker.io/grafana/grafana", "12.3.0", "3000", "11.0.0", "10.4.0", "9.5.0"),
    _server("docker.io/mcp/grafana", "latest", "8000"),
    _server("docker.io/prom/prometheus", "v3.8.0", "9090", "v3.0.0", "v2.53.0", "v2.45.0"),
    _server("docker.io/prom/node-exporter", "v1.10.2", "9100", "v1.8.0", "v1.6.1"),
    _server("quay.io/prometheus/node-exporter", "v1.10.2", "9100", "v1.8.0"),
    _server("docker.io/prom/alertmanager", "v0.29.0", "9093"),
    _server("docker.io/fluent/fluent-bit", "4.2.0", "2020", "3.0", "2.2", "2.1", "2.0", "1.9"),
    _server("docker.io/fluent/fluentd", "v1.19-1", "24224", "v1.16-1", "v1.15-1", "v1.14-1", "v1.16", "edge"),
    _server("docker.io/library/fluentd", "v1.3-1", "24224"),
    _server("quay.io/fluentd_elasticsearch/fluentd", "v5.0.1", "24224", "v2.5.2", "v3.0.0"),
    _server("docker.io/k8s.gcr.io/fluentd-gcp", "1.30", "24224"),
    _server("docker.io/library/elasticsearch", "9.2.1", "9200 9300", "8.19.0", "8.11.1", "7.17.0"),
    _server("docker.elastic.co/elasticsearch/elasticsearch", "9.2.1", "9200 9300", "8.11.1", "7.17.0"),
    _server("docker.elastic.co/beats/filebeat", "9.2.1", "5066", "8.11.1", "7.17.0"),
    _server("docker.io/minio/minio", "RELEASE.2025-09-07", "9000 9001"),
    _server("docker.io/library/traefik", "v3.6.2", "80 8080", "v3.6", "v3.0", "v3", "v2.11", "v2.10", "3.0"),
    _server("docker.io/library/haproxy", "3.3.0", "80", "3.2", "2.9", "2.8", "alpine", "lts"),
    _server("docker.io/envoyproxy/envoy", "v1.36.2", "10000 9901", "v1.31.0", "v1.28-latest", "distroless-v1.36.2"),
    _server("docker.io/library/consul", "1.15.4", "8500"),
    _server("docker.io/hashicorp/vault", "1.21.1", "8200", "1.18", "1.15"),
    _server("docker.io/library/tomcat", "11.0.14", "8080", "10.1", "9.0", "9", "10", "11", userland="debian"),
    _server("docker.io/library/jenkins", "2.60.3", "8080"),
    _server("docker.io/jenkins/jenkins", "2.538", "8080", "lts", "lts-jdk21", "lts-jdk17"),
    _server("docker.io/library/cassandra", "5.0.6", "9042", "5.0", "4.1", "4", "3.11", userland="debian"),
    _server("docker.io/library/zookeeper", "3.9.4", "2181", "3.9", "3.8"),
    _server("docker.io/library/nats", "2.12.2", "4222 8222", "2.10", "2", "alpine"),
    _server("docker.io/library/influxdb", "2.7.12", "8086", "2.7", "1.8"),
    _server("docker.io/library/caddy", "2.10.2", "80 443", "2", "alpine"),
    _server("docker.io/library/adminer", "5.4.1", "8080"),
    _server("docker.io/library/phpmyadmin", "5.2.3", "80"),
    _server("docker.io/library/ghost", "6.10.0", "2368", "5", "alpine"),
    _server("docker.io/library/drupal", "11.2.8", "80", "10"),
    _server("docker.io/library/joomla", "6.0.1", "80"),
    _server("docker.io/library/php", "8.5.0-apache", "80", "8.2-apache", "8.1-apache", "7.4-apache", "apache"),
    _server("docker.io/gitea/gitea", "1.25.2", "3000", "1.21", "1.22"),
    _server("docker.io/ollama/ollama", "0.13.0", "11434"),
    _server("docker.io/jaegertracing/all-in-one", "1.76.0", "16686 14268", "1.50"),
    _server("docker.io/otel/opentelemetry-collector", "0.140.0", "4317 4318", "0.88.0"),
    _server("docker.io/tiangolo/uvicorn-gunicorn-fastapi", "python3.11", "80", "python3.9", "python3.8", userland="debian"),
    _server("docker.io/kubernetesui/dashboard", "v2.7.0", "8443 9090", "v2.6.0", "v2.5.0", "v2.0.0"),
    _server("docker.io/kubernetesui/metrics-scraper", "v1.0.8", "8000", "v1.0.6"),
    *(_ingress_nginx(version) for version in INGRESS_NGINX),
    (
        Build(
            name="registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.4",
            layers=(82, 1, 13, 26100),
            entrypoint=("/kube-webhook-certgen",),
            programs=(("/kube-webhook-certgen", "kube-webhook-certgen"),),
            user="65532:65532",
        ),
        (
            "v1.6.4",
            "v1.6.0",
            "v1.5.2",
            "v1.4.4",
            "v1.4.3",
            "v1.4.1",
            "v1.4.0",
            "v20231011-8b53cabe0",
            "v20230407",
            "v1.3.0",
            "v1.1.1",
        ),
    ),
    _server("registry.k8s.io/sig-storage/nfs-subdir-external-provisioner", "v4.0.2", "8080"),
    _server("gcr.io/google-samples/gb-frontend", "v5", "80", "v4", "v3"),
    _server("gcr.io/google_samples/gb-redisslave", "v3", "6379", "v1"),
    _server("gcr.io/google-samples/gb-redis-follower", "v2", "6379"),
    _server("docker.io/weaveworks/scope", "1.13.1", "4040", "1.13.2"),
    _server("docker.io/itsthenetwork/nfs-server-alpine", "12", "2049"),
    _server("docker.io/jimmidyson/configmap-reload", "v0.15.0", "9533", "v0.5.0"),
    _server("quay.io/argoproj/argocd", "v3.2.0", "8080 8083", "v2.13.0", "v2.6.4"),
    _server("ghcr.io/dexidp/dex", "v2.44.0", "5556", "v2.35.3"),
)
