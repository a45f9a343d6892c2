"""What playing other people's scenarios brought to light, each as the real tools do it."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.runtime import catalogue, references
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def world() -> Sandbox:
    """One playground with one node that takes pods."""
    return Sandbox.boot("playground-1node")


def test_playgrounds_are_as_the_platforms_document_them(world: Sandbox) -> None:
    """One node: no taint.  Two nodes: the taint stays, the second machine is 172.30.2.2; both have numbered names."""
    assert world.run("kubectl get nodes -o jsonpath='{.items[*].spec.taints}'").stdout == ""
    two = Sandbox.boot("playground-2nodes")
    said = two.run(
        "kubectl get nodes -o jsonpath='{.items[0].spec.taints[0].effect} {.items[*].status.addresses[0].address}'"
    ).stdout
    assert said == "NoSchedule 172.30.1.2 172.30.2.2"
    assert two.run("ssh host02 hostname; sed s/PORT/80/ /etc/killercoda/host").stdout == "node01\nhttp://172.30.1.2:80\n"
    ubuntu = Sandbox.boot("playground-ubuntu")
    assert ubuntu.run("hostname; docker ps -q; command -v kubectl").stdout == "ubuntu\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("f() { { echo a; } }; f", "a\n"),
        ("need(){ type $1 >/dev/null || { echo no; exit 1; } }; need ls; echo ok", "ok\n"),
        ("if { true; } then { echo b; } fi; ( { echo c; } )", "b\nc\n"),
        ("echo '[\"a\"]' | jq -e 'index(\"a\")' && echo yes", "0\nyes\n"),
        ("echo '{\"a\":1}' | jq -c", '{"a":1}\n'),
        ("echo 'false' | jq -e . ; echo $?", "false\n1\n"),
    ],
)
def test_bash_and_jq(world: Sandbox, line: str, said: str) -> None:
    """A reserved word may follow a compound command without `;`; 0 is true for `jq -e`; in a pipe jq needs no filter."""
    assert world.run(line).stdout == said


def test_tail_waits_for_a_file_that_is_not_there_yet(world: Sandbox) -> None:
    """`tail -F` follows the name; `tail -f` gives up."""
    result = world.run("(sleep 3; echo late > /tmp/late) & timeout 6 tail -F /tmp/late; tail -f /tmp/never")
    assert result.stdout == "late\n" and result.code == 1
    assert "tail: cannot open '/tmp/never'" in result.stderr


def test_groups_of_a_security_context(world: Sandbox) -> None:
    """runAsGroup, fsGroup and supplementalGroups are what `id` says, in the main process and by exec."""
    manifest = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: groups}\nspec:\n  securityContext: {runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, "
        "supplementalGroups: [4000]}\n  containers: [{name: c, image: busybox, command: [sh, -c, 'id; sleep 3600']}]\n"
    )
    world.run("kubectl apply -f -", stdin=manifest.encode(), settle=30 * SECOND)
    for command in ("kubectl logs groups", "kubectl exec groups -- id"):
        assert world.run(command).stdout == "uid=1000(1000) gid=3000(3000) groups=3000(3000),2000(2000),4000(4000)\n"
    said = world.run("kubectl get pod groups -o jsonpath='{.status.containerStatuses[0].user.linux}'").stdout
    assert said == '{"gid":3000,"supplementalGroups":[3000,2000,4000],"uid":1000}'
    assert world.run("kubectl exec groups -- ps -o user,args").stdout.splitlines()[1].startswith("1000 ")


def test_kubectl_in_a_pod_uses_its_service_account(world: Sandbox) -> None:
    """Without a kubeconfig the token and namespace of the pod count."""
    world.run(
        "kubectl create ns inside; kubectl -n inside run k --image=bitnami/kubectl --command -- sleep 3600; kubectl -n inside wait --for=condition=Ready pod/k"
    )
    first = world.run("kubectl -n inside exec k -- kubectl get pods")
    assert (
        'User "system:serviceaccount:inside:default" cannot list resource "pods" in API group "" in the namespace "inside"'
        in first.stderr
    )
    world.run("kubectl -n inside create rolebinding v --clusterrole=view --serviceaccount=inside:default")
    assert "k      1/1" in world.run("kubectl -n inside exec k -- kubectl get pods").stdout


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("docker.io/library/nginx:1.25.3", "docker.io/library/nginx:1.25.3"),
        ("docker.io/library/nginx:1.29.0", "docker.io/library/nginx:1.29.0"),
        ("docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25.5"),
        ("docker.io/library/nginx:1.17.3-alpine", "docker.io/library/nginx:1.17.3-alpine"),
        ("docker.io/library/httpd:2.4.41-alpine", "docker.io/library/httpd:2.4.41-alpine"),
        ("docker.io/library/postgres:12.4", "docker.io/library/postgres:12.4"),
        ("public.ecr.aws/docker/library/busybox:1.36", "docker.io/library/busybox:1.36.1"),
        ("public.ecr.aws/nginx/nginx:alpine", "docker.io/library/nginx:1.29.4-alpine"),
        ("k8s.gcr.io/pause:3.9", "registry.k8s.io/pause:3.10.1"),
    ],
)
def test_old_releases_and_mirrors_are_still_there(name: str, build: str) -> None:
    """Tags that manifests of others name."""
    found = catalogue.find_tag(name)
    assert found is not None and found.name == build


@pytest.mark.parametrize(
    "name", ["nginx:1.99", "nginx:1.25.9", "nginx:1.a.b.c", "ngnix:latest", "nginx:1.27-alpin", "httpd:nginx", "redis:7.5"]
)
def test_tags_that_never_were_are_not(name: str) -> None:
    """A slip in a tag still is ImagePullBackOff."""
    assert catalogue.find_tag(f"docker.io/library/{name}") is None


def test_an_image_whose_server_is_not_simulated_runs_and_says_so(world: Sandbox) -> None:
    """It listens; what it would serve is not pretended.  A sample's page is served."""
    world.run(
        "kubectl run prom --image=prom/prometheus; kubectl run boot --image=gcr.io/google-samples/kubernetes-bootcamp:v1",
        settle=30 * SECOND,
    )
    assert "not simulated in Slipway yet" in world.run("kubectl logs prom").stdout
    ip = world.run("kubectl get pod boot -o jsonpath='{.status.podIP}'").stdout
    assert world.run(f"curl -s {ip}:8080").stdout == "Hello Kubernetes bootcamp! | Running on: boot | v=1\n"
    assert world.run("kubectl get pods prom boot --no-headers").stdout.count("1/1") == 2


def test_head_copies_devices_without_an_end_in_pieces(world: Sandbox) -> None:
    """Nobody holds half a gigabyte for `head -c 500M`; what is asked for comes whole."""
    assert world.run("head -c 100000 /dev/urandom | wc -c; head -c 3 </dev/zero | od -An -tx1; yes | head -2").stdout == (
        "100000\n 00 00 00\ny\ny\n"
    )
    assert world.run("x=$(head -c 500M </dev/zero); echo ${#x}").stdout == "0\n"


def test_containers_have_the_commands_of_their_userland(world: Sandbox) -> None:
    """Debian's images have coreutils and no network tools, busybox its applets; what is not simulated says so, and is not absent."""
    pods = "kubectl run deb --image=nginx:1.27; kubectl run box --image=busybox -- sleep 1d"
    world.run(f"{pods}; kubectl wait --for=condition=Ready pod/deb pod/box --timeout=120s")
    assert world.run(
        "kubectl exec deb -- printenv NGINX_VERSION; kubectl exec deb -- sha512sum /dev/null | cut -c1-8"
    ).stdout == ("1.27.5\ncf83e135\n")
    assert "not found" in world.run("kubectl exec deb -- ping -c1 localhost").stderr
    assert "not simulated in Slipway yet" in world.run("kubectl exec box -- mkfifo /tmp/x").stderr


INGRESS = """
kubectl apply -f https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v1.12.1/deploy/static/provider/baremetal/deploy.yaml
kubectl create deploy one --image=hashicorp/http-echo --port=5678 -- /http-echo -text=one
kubectl create deploy two --image=hashicorp/http-echo --port=5678 -- /http-echo -text=two
kubectl expose deploy one --port=80 --target-port=5678; kubectl expose deploy two --port=80 --target-port=5678
kubectl wait -n ingress-nginx --for=condition=ready pod -l app.kubernetes.io/component=controller --timeout=180s
kubectl create ingress shop --class=nginx --rule='shop.test/*=one:80' --rule='shop.test/two*=two:80' --rule='shop.test/exact=two:80'
kubectl create ingress other --class=another --rule='other.test/*=one:80'
"""


def test_ingress_nginx_routes_by_host_and_path() -> None:
    """Installed from its address: class, longest path, the address in the status, 404 and 503, TLS by name, refusals of its webhook."""
    world = Sandbox.boot("playground-1node")
    said = world.run(INGRESS, settle=30 * SECOND)
    assert "pod/ingress-nginx-controller-" in said.stdout and said.stderr == ""
    port = world.run("kubectl get svc -n ingress-nginx ingress-nginx-controller -o jsonpath='{.spec.ports[0].nodePort}'").stdout
    address = world.run("kubectl get svc -n ingress-nginx ingress-nginx-controller -o jsonpath='{.spec.clusterIP}'").stdout

    def get(host: str, path: str, more: str = "") -> str:
        return world.run(f"curl -s {more} -H 'Host: {host}' http://localhost:{port}{path}").stdout

    assert get("shop.test", "/") == "one\n" and get("shop.test", "/twofold") == "one\n"
    assert get("shop.test", "/two") == "two\n" == get("shop.test", "/two/more") == get("shop.test", "/exact")
    code = "-o /dev/null -w '%{http_code}'"
    assert get("other.test", "/", code) == get("nowhere.test", "/", code) == "404"
    assert world.run("kubectl get ingress shop other -o jsonpath='{.items[*].status.loadBalancer}'").stdout == (
        f'{{"ingress":[{{"ip":"{address}"}}]}} {{}}'
    )
    assert "Scheduled for sync" in world.run("kubectl describe ingress shop").stdout
    refused = world.run("kubectl create ingress again --class=nginx --rule='shop.test/two*=one:80'").stderr
    assert 'host "shop.test" and path "/two" is already defined in ingress default/shop' in refused
    world.run("kubectl scale deploy two --replicas=0", settle=30 * SECOND)
    assert get("shop.test", "/two", code) == "503"
    world.run(
        "kubectl annotate ingress shop nginx.ingress.kubernetes.io/rewrite-target=/; openssl req -x509 -nodes -newkey "
        "rsa:2048 -keyout k -out c -subj /CN=shop.test -addext subjectAltName=DNS:shop.test; kubectl create secret tls "
        'shop --cert=c --key=k; kubectl patch ingress shop -p \'{"spec":{"tls":[{"hosts":["shop.test"],"secretName":"shop"}]}}\'',
        settle=10 * SECOND,
    )
    assert get("shop.test", "/x", "-o /dev/null -w '%{http_code}'") == "308"
    curl = f"curl -sS --resolve shop.test:443:{address} https://shop.test/anything"
    assert world.run(curl).stderr.startswith("curl: (60) SSL certificate problem: self-signed certificate\n")
    assert world.run(f"{curl} --cacert c").stdout == "one\n"
    assert "GET /anything" in world.run("kubectl logs -n ingress-nginx deploy/ingress-nginx-controller").stdout
    again = world.fork()
    assert again.run(f"{curl} -k").stdout == "one\n"


def test_curl_goes_where_it_is_told_and_keeps_headers(world: Sandbox) -> None:
    """--resolve needs no name server; -D writes the head."""
    said = world.run("curl -sk --resolve made.up:6443:172.30.1.2 -D /tmp/head https://made.up:6443/healthz; head -1 /tmp/head")
    assert said.stdout.startswith("okHTTP/1.1 200 OK")
    assert world.run("curl --resolve made.up https://made.up/").code == 49


def test_examples_of_the_documentation_answer_at_their_addresses(world: Sandbox) -> None:
    """k8s.io sends on; every one of them is taken by the API server; of one that is not kept it is said so."""
    from simulator.core.shell.coreutils import internet

    paths = sorted(set(internet._examples()) - {"application/web/web.yaml"})
    namespaces = "for n in mem-example cpu-example qos-example development; do kubectl create ns $n; done"
    files = " ".join(f"-f https://k8s.io/examples/{path}" for path in paths)
    said = world.run(f"{namespaces}; kubectl apply --dry-run=server {files}")
    assert said.code == 0 and said.stdout.count("(server dry run)") >= len(paths), said.stderr
    assert "not simulated in Slipway yet" in world.run("kubectl apply -f https://k8s.io/examples/none.yaml").stderr


def test_a_dry_run_names_the_namespace_that_was_asked_for(world: Sandbox) -> None:
    """`kubectl run -n … --dry-run=client` writes a manifest for that namespace (`run.go`, createGeneratedObject)."""
    made = world.run("kubectl run x --image=nginx -n team --dry-run=client -o jsonpath='{.metadata.namespace}'").stdout
    assert made == "team"
    assert "namespace" not in world.run("kubectl run x --image=nginx --dry-run=client -o yaml").stdout


def test_playgrounds_make_volumes_by_default() -> None:
    """Their default storage class is local-path; a claim without a class gets a volume when a pod uses it."""
    one = Sandbox.boot("playground-1node")
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /data}]}], volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}\n"
    one.run("kubectl apply -f -", stdin=f"{claim}---\n{pod}".encode())
    assert one.run("kubectl wait --for=condition=Ready pod/p --timeout=120s", limit=200 * SECOND).code == 0
    assert one.run("kubectl get pvc c -o jsonpath='{.status.phase} {.spec.storageClassName}'").stdout == "Bound local-path"


def test_tools_that_tutorials_type(world: Sandbox) -> None:
    """Ageing of passwords, groups, locales, the routes of net-tools, telnet, a minimized system's man."""
    world.run("useradd -m mara; addgroup crew; groupmod -n hands crew; chage -M 90 -E 2027-01-31 mara")
    said = world.run("chage -l mara; getent group hands | cut -d: -f1").stdout
    assert "Account expires\t\t\t\t\t\t: Jan 31, 2027\n" in said and "\t: 90\n" in said and said.endswith("hands\n")
    assert "0.0.0.0         172.30.1.1      0.0.0.0         UG" in world.run("route -n").stdout
    assert world.run("locale-gen de_DE.UTF-8; locale -a").stdout.endswith("POSIX\nde_DE.utf8\n")
    assert "Connected to localhost." in world.run("telnet localhost 6443 </dev/null").stdout
    assert "Connection refused" in world.run("telnet localhost 81").stderr
    assert "unminimize" in world.run("man ls").stdout and world.run("mountpoint -q /tmp").code == 32


def test_kustomize_alone_and_kubectx(world: Sandbox) -> None:
    """The installer's program makes and edits a kustomization and builds what kubectl builds; kubens changes the context's namespace."""
    get = "curl -s https://raw.githubusercontent.com/kubernetes-sigs/kustomize/master/hack/install_kustomize.sh | bash; mv kustomize /usr/local/bin"
    world.run(f"{get}; mkdir /tmp/k; cd /tmp/k; kubectl create deploy web --image=nginx:1 --dry-run=client -o yaml > d.yaml")
    made = world.run(
        "cd /tmp/k; kustomize create --autodetect --namespace team; kustomize edit set image nginx=nginx:1.27; kustomize edit set replicas web=3;"
        " kustomize edit add configmap c --from-literal=a=b; cat kustomization.yaml"
    ).stdout
    assert made == (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- d.yaml\nnamespace: team\nconfigMapGenerator:\n"
        '- literals:\n  - a=b\n  name: c\nimages:\n- name: nginx\n  newTag: "1.27"\nreplicas:\n- count: 3\n  name: web\n'
    )
    built = world.run(
        "cd /tmp/k; kustomize build . > one; kubectl kustomize . > two; cmp one two && grep -c 'replicas: 3\\|nginx:1.27' one"
    )
    assert built.stdout == "2\n"
    refused = world.run("cd /tmp/k; kustomize create; kustomize edit add resource gone.yaml")
    assert (
        "kustomization file already exists" in refused.stderr and "gone.yaml has no match" in refused.stderr and refused.code == 1
    )
    said = world.run(
        "apt-get install -y -qq kubectx >/dev/null; kubens kube-public; kubens -c; kubens -; kubens nowhere; kubectx"
    )
    assert 'Active namespace is "kube-public".\nkube-public\n' in said.stdout and "kubernetes-admin@kubernetes" in said.stdout
    assert 'no namespace exists with name "nowhere"' in said.stderr


def test_top_draws_until_it_is_left(world: Sandbox) -> None:
    """Pictures every three seconds on a terminal; M sorts by memory, q ends it; with -b as many as -n says."""
    assert world.run("top -b -n 2 -d 1 | grep -c COMMAND").stdout == "2\n"
    one = Sandbox.boot("playground-ubuntu")
    one.apply("open", {"terminal": "t", "host": "ubuntu"}, one.now)
    one.apply("line", {"terminal": "t", "text": "top"}, one.now)
    one.advance(one.now + 10 * SECOND)
    assert one.terminals()["t"].raw
    one.apply("keys", {"terminal": "t", "data": "Mzq"}, one.now)
    one.advance(one.now + SECOND)
    shown = "".join(chunk.data for chunk in one.drain())
    assert shown.count("Tasks:") >= 5 and "Unknown command - try 'h' for help" in shown
    assert not one.terminals()["t"].busy and one.terminals()["t"].status == 0


def test_charts_of_databases_run() -> None:
    """bitnami's redis as a StatefulSet with a password in a Secret that stays over upgrades; replication says that it is not simulated."""
    world = Sandbox.boot("playground-1node")
    world.run(
        "helm repo add bitnami https://charts.bitnami.com/bitnami; helm install kv bitnami/redis --wait --timeout 200s",
        limit=300 * SECOND,
    )
    ping = "P=$(kubectl get secret kv-redis -o jsonpath='{.data.redis-password}' | base64 -d); kubectl exec kv-redis-master-0 -- redis-cli -a $P ping; echo $P"
    first = world.run(ping).stdout
    assert first.startswith("PONG\n") and len(first.split()[1]) == 10
    world.run("helm upgrade kv bitnami/redis --set master.service.type=NodePort --reuse-values")
    assert world.run(ping).stdout == first
    assert "not simulated in Slipway yet" in world.run("helm upgrade kv bitnami/redis --set architecture=replication").stderr
    assert world.run("kubectl get pvc -o jsonpath='{.items[*].status.phase}'").stdout == "Bound"
    for chart in ("mysql", "mariadb", "postgresql", "mongodb", "wordpress", "metrics-server"):
        assert (
            world.run(
                f"helm template x bitnami/{chart} --set auth.username=me --set auth.database=d | kubectl apply --dry-run=server -f -"
            ).code
            == 0
        ), chart


def test_images_of_the_documentations_examples_are_there() -> None:
    """The images of every example that k8s.io/examples answers with can be pulled, but for one."""
    from simulator.core.shell.coreutils.internet import _examples

    examples = _examples()
    assert len(examples) > 150
    named = {image for objects in examples.values() for obj in objects for image in _images(obj)}
    named -= {"<your-private-image>"}
    absent = {image for image in named if catalogue.find_tag(references.normalise(image).name) is None}
    assert absent == {"registry.k8s.io/etcd:3.5.1-0"}


def _images(value: object) -> list[str]:
    if isinstance(value, dict):
        return [
            one
            for key, inner in value.items()
            for one in ([inner] if key == "image" and isinstance(inner, str) else _images(inner))
        ]
    return [one for inner in value for one in _images(inner)] if isinstance(value, list) else []
