"""Every reason that a page can show has its Korean, and is found by its own template."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import gettext, override

from lessons.reasons import REASONS, WORDS, in_time, said

HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("template", REASONS)
def test_a_reason_is_found_by_its_own_template(template: str) -> None:
    about = {name: f"<{name}>" for name in re.findall(r"%\((\w+)\)s", template)}
    with override("en"):
        assert said(template % about) == template % about
    with override("ko"):
        korean = said(template % about)
        assert korean == gettext(template) % about
        assert HANGUL.search(korean)


def test_words_within_a_sentence_and_what_stands_around_it() -> None:
    with override("ko"):
        assert all(HANGUL.search(gettext(word)) for word in WORDS.values())
        assert said("must be text or a list, not 5") == "텍스트 또는 목록 자리에 5이(가) 있습니다"
        assert said("is missing (with n = 3)") == "빠졌습니다 (n = 3일 때)"
        assert said("what_if[0]: run: the API server cannot be reached (refused)").endswith(
            "API 서버에 닿을 수 없습니다(연결 거부)"
        )
        assert said('deployments.apps "web" is forbidden') == 'deployments.apps "web" is forbidden'
        assert in_time("status.readyReplicas ≥ 3 (throughout)") == "status.readyReplicas ≥ 3 (내내)"
    assert in_time("replicas = 3") == "replicas = 3"
