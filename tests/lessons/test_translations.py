"""Every message has its Korean, the compiled catalogue is the source's, and placeholders are the same in both."""

from __future__ import annotations

import re
from pathlib import Path

import polib
from django.utils.translation import gettext, ngettext, override

from lessons.management.commands.translations import CATALOGUE, missing, update
from lessons.management.messages import _template, find

BASE = Path(__file__).parents[2]


def catalogue() -> polib.POFile:
    return polib.pofile(str(BASE / CATALOGUE))


def test_the_catalogue_is_what_the_code_says() -> None:
    """Run `manage.py translations` and fill in what is missing when this fails."""
    found = catalogue()
    had = {(entry.msgid, entry.msgid_plural or "") for entry in found}
    update(found, find(BASE))
    assert {(entry.msgid, entry.msgid_plural or "") for entry in found} == had


def test_nothing_lacks_korean() -> None:
    assert [entry.msgid for entry in missing(catalogue())] == []


def test_placeholders_are_the_same() -> None:
    for entry in catalogue():
        for said in [entry.msgstr, *entry.msgstr_plural.values()]:
            if said:
                assert set(re.findall(r"%\(\w+\)[sd]", said)) == set(
                    re.findall(r"%\(\w+\)[sd]", entry.msgid_plural or entry.msgid)
                ), entry.msgid


def test_the_compiled_catalogue_is_up_to_date() -> None:
    compiled = {
        entry.msgid: entry.msgstr or dict(entry.msgstr_plural)
        for entry in polib.mofile(str((BASE / CATALOGUE).with_suffix(".mo")))
    }
    assert compiled == {entry.msgid: entry.msgstr or dict(entry.msgstr_plural) for entry in catalogue()}


def test_korean_avoids_the_other_politeness() -> None:
    for entry in catalogue():
        for said in [entry.msgstr, *entry.msgstr_plural.values()]:
            assert not re.search(r"(해요|예요|이에요|세요|네요|어요|아요)[.?!]?$", said), said


def test_django_uses_it() -> None:
    with override("ko"):
        assert gettext("Check again") == "다시 검사"
        assert ngettext("%(n)s check", "%(n)s checks", 3) % {"n": 3} == "검사 3개"


def test_the_extractor_reads_every_form() -> None:
    source = """{% translate "a 100%" %}{% blocktranslate trimmed with x=y %}
      b {{ x }}
    {% endblocktranslate %}{% blocktranslate count n=c %}{{ n }} d{% plural %}{{ n }} ds{% endblocktranslate %}
    {% include "i" with e=_("f") %}"""
    assert [(one.msgid, one.plural) for one in _template(source, "x.html")] == [
        ("a 100%%", ""), ("b %(x)s", ""), ("%(n)s d", "%(n)s ds"), ("f", ""),
    ]  # fmt: skip
