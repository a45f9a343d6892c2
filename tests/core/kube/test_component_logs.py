"""What the scheduler and the controller manager say at which verbosity, and of which controllers the manager is asked how they are."""

from __future__ import annotations

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

MANIFESTS = "/etc/kubernetes/manifests"


def _out(sandbox: Sandbox, command: str) -> str:
    return sandbox.run(command, settle=SECOND).stdout


def _flag(sandbox: Sandbox, component: str, flag: str) -> None:
    """Add a flag to a static pod, and wait until it works again."""
    sandbox.run(f"sed -i 's/    - --leader-elect=true/&\\n    - {flag}/' {MANIFESTS}/{component}.yaml", settle=SECOND)
    sandbox.advance(sandbox.now + 60 * SECOND)


def _log(sandbox: Sandbox, component: str) -> str:
    return _out(sandbox, f"kubectl logs -n kube-system {component}-controlplane")


def test_the_scheduler_says_how_it_decided_at_level_ten() -> None:
    sandbox = Sandbox.boot("three-nodes")
    sandbox.run("kubectl run quiet --image=nginx", settle=SECOND)
    assert "bound" not in _log(sandbox, "kube-scheduler")
    _flag(sandbox, "kube-scheduler", "--v=10")
    sandbox.run("kubectl run loud --image=nginx", settle=SECOND)
    log = _log(sandbox, "kube-scheduler")
    assert '"Attempting to schedule pod" pod="default/loud"' in log
    assert '"Plugin scored node for pod" pod="default/loud" plugin="TaintToleration" node="node01" score=300' in log
    assert '"Calculated node\'s final score for pod" pod="default/loud" node="node02" score=' in log
    assert "evaluatedNodes=3 feasibleNodes=2" in log
    sandbox.run("""kubectl run big --image=nginx --overrides='{"spec":{"nodeSelector":{"no":"where"}}}'""", settle=SECOND)
    assert '"Unable to schedule pod; no fit; waiting" pod="default/big"' in _log(sandbox, "kube-scheduler")


def test_the_manager_names_controllers_that_stay_away_and_checks_those_that_run() -> None:
    sandbox = Sandbox.boot("three-nodes")
    assert '"Skipping a cloud provider controller" controller="service-lb-controller"' in _log(sandbox, "kube-controller-manager")
    roll = "curl -sk https://127.0.0.1:10257/healthz?verbose"
    assert "[+]job-controller ok" in _out(sandbox, roll)
    edit = f"sed -i 's/--controllers=\\*,/--controllers=*,-job-controller,/' {MANIFESTS}/kube-controller-manager.yaml"
    sandbox.run(edit, settle=SECOND)
    _flag(sandbox, "kube-controller-manager", "--v=1")
    log = _log(sandbox, "kube-controller-manager")
    assert '"Warning: controller is disabled" controller="job-controller"' in log
    assert '"Controller starting..." controller="cronjob-controller"' in log
    assert "job-controller ok" not in _out(sandbox, roll).replace("cronjob-controller", "")
