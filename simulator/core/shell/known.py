"""Well-known programs that exist in reality and are not simulated: running one says so instead of `command not found`."""

from __future__ import annotations

#: What Ubuntu's command-not-found says in interactive shells, for programs of packages that are not installed.
HINTS: dict[str, str] = {
    "python": (
        "Command 'python' not found, did you mean:\n  command 'python3' from deb python3\n  command 'python' from deb python-is-python3\n"
    ),
    "nginx": "Command 'nginx' not found, but can be installed with:\napt install nginx\n",
    "unzip": "Command 'unzip' not found, but can be installed with:\napt install unzip\n",
    "zip": "Command 'zip' not found, but can be installed with:\napt install zip\n",
    "make": (
        "Command 'make' not found, but can be installed with:\napt install make        # version 4.3-4.1build2, or\n"
        "apt install make-guile  # version 4.3-4.1build2\n"
    ),
    "docker": (
        "Command 'docker' not found, but can be installed with:\nsnap install docker         # version 28.1.1+1, or\n"
        "apt  install docker.io      # version 26.1.3-0ubuntu1~24.04.1\napt  install podman-docker  # version 4.9.3+ds1-1ubuntu0.2\n"
        "See 'snap info docker' for additional versions.\n"
    ),
    "docker-compose": (
        "Command 'docker-compose' not found, but can be installed with:\nsnap install docker          # version 28.1.1+1, or\n"
        "apt  install docker-compose  # version 1.29.2-6ubuntu1\nSee 'snap info docker' for additional versions.\n"
    ),
}

KNOWN: frozenset[str] = frozenset(
    """ansible  arping at atop aptitude ar aws az brctl bridge buildah calicoctl cargo cfssl cfssljson cilium conntrack
    containerd-shim-runc-v2 crio cri-dockerd dc dnf ed emacs ethtool eksctl fdisk flock flux gcc gcloud gdb go hcloud
    helmfile hping3 htop iftop iotop ipcalc ipset ipvsadm java javac k3d k3s k9s kind kns kompose kops
    lspci lsusb ltrace  minikube mkfifo mkfs mtr multipass mysql nerdctl-full nft ngrep nmap node npm nvim
    openstack perl php pip pip3 podman-compose popper psql python2 redis-cli rpm ruby
    runc rustc sar screen sftp skopeo socat sqlite3 stern strace tcpdump terraform tmux
    systemd-run systemd-cgtop loginctl localectl ssh-keyscan ssh-agent ssh-add stress stress-ng  lastlog rmmod modinfo tracepath ufw umount unshare vagrant valgrind velero  wireshark yum zsh zypper""".split()
)
