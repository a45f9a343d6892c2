"""Set-ups as the site types them: an exercise that begins with a waiting line, or in a world without a control plane, can be solved there.

`test_exercises.py` proves every exercise in a bare world; here the rows of a learner's journal are played by the site's own services.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lessons.labs.services import program_of
from simulator import engine, services, typed
from simulator.core.lab.durations import duration
from simulator.local import in_this_process
from simulator.models import JournalEntry
from tests.content.journals import CONTENT

pytestmark = pytest.mark.django_db

#: With `sleep` or a rollout that is waited for in their set-up, or in a world without `controlplane`.
CHOSEN = (
    "05-etcdctl/exercises/one-lost-page",
    "07-controllers/exercises/no-addresses",
    "08-scheduler/exercises/place-by-hand",
    "10-kube-proxy/exercises/stale-charts",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_solution_passes_on_the_site(learner: Any, name: str) -> None:
    exercise = yaml.safe_load((CONTENT / "cluster-architecture" / f"{name}.yaml").read_text("utf-8"))
    with in_this_process():
        session = services.session_for(learner, exercise.get("scenario", "three-nodes"), name)
        typed.set_up(session, exercise["setup"])
        services.settle(session)
        assert not JournalEntry.objects.filter(session=session).exclude(refusal="").exists()
        for step in exercise["solution"]["commands"]:
            step = {"run": step} if isinstance(step, str) else step
            if "wait" in step:
                services.append_input(session, kind="skip", data={"ns": duration(step["wait"])})
                continue
            for line in step["run"].strip("\n").split("\n"):
                terminal = step.get("host", engine.first_host(session.scenario))
                services.append_input(session, kind="line", data={"terminal": terminal, "text": line})
        answer = services.evaluate(session, program_of(exercise), timeout=60)
    assert [(item["id"], item["state"], item.get("found")) for item in answer["verdicts"] if item["state"] != "passed"] == []
