"""The audit of dependencies finds what it is there for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from packaging.version import Version

from tools import audit


def test_our_pins_are_whole_and_nothing_is_known_against_them() -> None:
    assert audit.loose() == []
    assert audit.drifted() == []
    assert audit.advised(audit.pins("constraints.txt")) == []


def test_a_version_with_an_advisory_is_found() -> None:
    found = audit.advised({"django": Version("5.2.6"), "h11": Version("0.14.0"), "pyyaml": Version("6.0")})
    assert [text.split(":")[1].strip() for text in found] == ["CVE-2025-64459", "CVE-2025-59681", "CVE-2025-43859"]


def test_what_is_not_pinned_is_found(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("-c constraints.txt\na==1\nb>=2\nc==3\n")
    (tmp_path / "requirements-dev.txt").write_text("a==1\na==1\n")
    (tmp_path / "constraints.txt").write_text("a==1\nc==4\n")
    assert len(audit.loose()) == 3


def test_the_bill_of_materials_names_every_package_once() -> None:
    bill = json.loads(json.dumps(audit.sbom()))
    names = [item["name"] for item in bill["components"]]
    assert {"django", "celery", "argon2-cffi", "fido2"} <= set(names)
    assert len(names) == len(set(names))
    assert bill["dependencies"][0]["dependsOn"] == [item["bom-ref"] for item in bill["components"]]
