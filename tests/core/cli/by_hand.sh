# A cluster of one machine from downloaded binaries, without kubeadm.
# -- binaries
cd /root; for b in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do curl -sLO https://dl.k8s.io/v1.36.2/bin/linux/amd64/$b; done
curl -sLO https://dl.k8s.io/v1.36.2/bin/linux/amd64/kubectl.sha256; echo "$(cat kubectl.sha256)  kubectl" | sha256sum --check
chmod +x kube*; mv kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl /usr/local/bin/
curl -sL https://github.com/etcd-io/etcd/releases/download/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz | tar xz; cp etcd-v3.6.8-linux-amd64/etcd* /usr/local/bin/
curl -sLO https://github.com/containerd/containerd/releases/download/v2.2.1/containerd-2.2.1-linux-amd64.tar.gz; tar xzf containerd-2.2.1-linux-amd64.tar.gz -C /usr/local
curl -sLo /usr/local/sbin/runc https://github.com/opencontainers/runc/releases/download/v1.3.4/runc.amd64; chmod +x /usr/local/sbin/runc
mkdir -p /opt/cni/bin /etc/cni/net.d; curl -sLO https://github.com/containernetworking/plugins/releases/download/v1.8.0/cni-plugins-linux-amd64-v1.8.0.tgz; tar xzf cni-plugins-linux-amd64-v1.8.0.tgz -C /opt/cni/bin
mkdir -p /usr/local/lib/systemd/system; curl -sLo /etc/systemd/system/containerd.service https://raw.githubusercontent.com/containerd/containerd/main/containerd.service
ls /usr/local/bin /opt/cni/bin; kube-apiserver --version; kubelet --version; etcd --version | head -1; containerd --version
# -- certificates
mkdir -p /root/pki && cd /root/pki
openssl req -x509 -newkey rsa:2048 -sha256 -nodes -days 3650 -keyout ca.key -out ca.crt -subj "/CN=KUBERNETES-CA"
issue() { # name subject san
 openssl genrsa -out $1.key 2048
 openssl req -new -key $1.key -subj "$2" -out $1.csr
 printf "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth,serverAuth\n" > $1.ext
 [ -n "$3" ] && echo "subjectAltName=$3" >> $1.ext
 openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -days 365 -extfile $1.ext -out $1.crt
}
issue admin "/O=system:masters/CN=admin"
issue kube-apiserver "/CN=kube-apiserver" "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:10.32.0.1,IP:172.30.1.2"
issue kcm "/CN=system:kube-controller-manager"
issue scheduler "/CN=system:kube-scheduler"
issue proxy "/CN=system:kube-proxy"
issue host01 "/O=system:nodes/CN=system:node:host01" "DNS:host01,IP:172.30.1.2"
openssl genrsa -out sa.key 2048
openssl rsa -in sa.key -pubout -out sa.pub
ls
# -- kubeconfigs
cd /root/pki
conf() { kubectl config set-cluster k --certificate-authority=ca.crt --embed-certs=true --server=https://172.30.1.2:6443 --kubeconfig=$1.kubeconfig; kubectl config set-credentials $2 --client-certificate=$1.crt --client-key=$1.key --embed-certs=true --kubeconfig=$1.kubeconfig; kubectl config set-context default --cluster=k --user=$2 --kubeconfig=$1.kubeconfig; kubectl config use-context default --kubeconfig=$1.kubeconfig; }
conf admin admin; conf kcm system:kube-controller-manager; conf scheduler system:kube-scheduler; conf proxy system:kube-proxy; conf host01 system:node:host01
mkdir -p /root/.kube /var/lib/kubernetes /etc/etcd /var/lib/kubelet; cp admin.kubeconfig /root/.kube/config; cp *.crt *.key *.pub *.kubeconfig /var/lib/kubernetes/
# -- units
unit() { printf "[Unit]\nDescription=$1\n\n[Service]\nExecStart=$2\nRestart=on-failure\nRestartSec=5\n\n[Install]\nWantedBy=multi-user.target\n" > /etc/systemd/system/$1.service; }
K=/var/lib/kubernetes
unit etcd "/usr/local/bin/etcd --name host01 --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster host01=http://127.0.0.1:2380 --data-dir=/var/lib/etcd"
unit kube-apiserver "/usr/local/bin/kube-apiserver --advertise-address=172.30.1.2 --allow-privileged=true --authorization-mode=Node,RBAC --client-ca-file=$K/ca.crt --etcd-servers=http://127.0.0.1:2379 --kubelet-certificate-authority=$K/ca.crt --kubelet-client-certificate=$K/kube-apiserver.crt --kubelet-client-key=$K/kube-apiserver.key --service-account-key-file=$K/sa.pub --service-account-signing-key-file=$K/sa.key --service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.32.0.0/24 --tls-cert-file=$K/kube-apiserver.crt --tls-private-key-file=$K/kube-apiserver.key --enable-admission-plugins=NodeRestriction"
unit kube-controller-manager "/usr/local/bin/kube-controller-manager --allocate-node-cidrs=true --cluster-cidr=10.200.0.0/16 --cluster-name=kubernetes --cluster-signing-cert-file=$K/ca.crt --cluster-signing-key-file=$K/ca.key --kubeconfig=$K/kcm.kubeconfig --root-ca-file=$K/ca.crt --service-account-private-key-file=$K/sa.key --service-cluster-ip-range=10.32.0.0/24 --use-service-account-credentials=true"
unit kube-scheduler "/usr/local/bin/kube-scheduler --kubeconfig=$K/scheduler.kubeconfig"
mkdir -p /etc/containerd; printf "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n  SystemdCgroup = true\n" > /etc/containerd/config.toml
cat > /etc/cni/net.d/10-bridge.conf <<EOF
{"cniVersion":"1.0.0","name":"bridge","type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.200.0.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}}
EOF
cat > /var/lib/kubelet/kubelet-config.yaml <<EOF
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /var/lib/kubernetes/ca.crt}
authorization: {mode: Webhook}
cgroupDriver: systemd
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
tlsCertFile: /var/lib/kubernetes/host01.crt
tlsPrivateKeyFile: /var/lib/kubernetes/host01.key
resolvConf: /run/systemd/resolve/resolv.conf
EOF
cat > /var/lib/kubernetes/kube-proxy-config.yaml <<EOF
kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
clientConnection: {kubeconfig: /var/lib/kubernetes/proxy.kubeconfig}
mode: iptables
clusterCIDR: 10.200.0.0/16
EOF
unit kubelet "/usr/local/bin/kubelet --config=/var/lib/kubelet/kubelet-config.yaml --kubeconfig=$K/host01.kubeconfig --v=2"
unit kube-proxy "/usr/local/bin/kube-proxy --config=$K/kube-proxy-config.yaml"
systemctl daemon-reload; systemctl enable --now etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy
sleep 20; systemctl is-active etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy
# -- rights of the API server
cat > rbac.yaml <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: system:kube-apiserver-to-kubelet}
rules: [{apiGroups: [""], resources: [nodes/proxy, nodes/stats, nodes/log, nodes/spec, nodes/metrics], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: system:kube-apiserver}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:kube-apiserver-to-kubelet}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: kube-apiserver}]
EOF
kubectl apply -f rbac.yaml
