"""The harness's pages: the same hooks as the site's templates, with as little else as possible."""

from __future__ import annotations

HEAD = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Harness</title><meta name="csrf-token" content="token-for-tests"><meta name="htmx-config" content='{{"includeIndicatorCSS": false}}'>
<style nonce="{nonce}" id="csp-nonce"></style><script src="/static/js/early.js"></script>
<link rel="stylesheet" href="/static/css/slipway.css"><link rel="stylesheet" href="/static/vendor/xterm.css"><link rel="stylesheet" href="/static/css/bench.css">
<script src="/static/vendor/htmx.js" defer></script><script type="module" src="/static/js/main.js"></script></head><body>
<header class="side"><a class="brand" href="/">Slipway</a><div class="end"><button class="btn" type="button" data-theme-switch hidden></button>
<nav class="lang" data-lang-switch aria-label="Language / 언어"><a href="/ko/{name}" lang="ko" hreflang="ko">한국어</a><a href="/en/{name}" lang="en" hreflang="en">English</a></nav></div></header>
"""

COMMAND = """<div class="cmd" data-command="{command}" data-host="{host}"><pre><code>{command}</code></pre><div class="do">
<button type="button" data-copy aria-label="Copy: {command}">Copy</button><button type="button" data-run hidden aria-label="Run: {command}">Run</button></div></div>"""

LESSON = """<main id="main" class="lesson"><article class="text"><div class="prose" lang="{lang}"><p class="lesson-meta"><span>Chapter 5</span></p><h1>A rollout, one event at a time</h1>
<p>You change one word in a Deployment and, a few seconds later, other containers run.</p>{commands}
<p>Evidence: <a id="evidence" href="#e155" data-event="155">#155</a>. <button class="btn" type="button" id="other" data-cluster="/ws/cluster/other/" data-cluster-hosts="controlplane">Other cluster</button></p>
<p><a id="after" href="#x">after</a></p></div></article>
<section class="bench" id="bench" data-bench aria-label="Cluster" tabindex="-1" data-ws="/ws/cluster/first/" data-hosts="controlplane node01 node02" data-reset="/clusters/first/reset/"></section></main></body></html>"""

QUIZ = """<main id="main" class="wrap"><h1>Quiz</h1><p data-save-state role="status"></p><form method="post" action="/done/" data-autosave="/save/" data-once>
<fieldset><legend>Which?</legend><label><input type="radio" name="q1" value="a"> a</label><label><input type="radio" name="q1" value="b"> b</label></fieldset>
<p><label>Port <input class="field" name="q2"></label></p>
<ol class="order" data-order>{items}</ol><button class="btn" type="submit">Send</button></form></main></body></html>"""


def page(path: str, nonce: str) -> str | None:
    """The page at a path such as `/en/lesson/`, or None."""
    parts = [p for p in path.split("/") if p]
    lang, name = (parts[0], parts[1]) if len(parts) == 2 and parts[0] in ("en", "ko") else ("", "")
    head = HEAD.format(lang=lang, nonce=nonce, name=f"{name}/")
    if name == "lesson":
        commands = COMMAND.format(command="echo from the text", host="controlplane") + COMMAND.format(
            command="echo one&#10;sleep 5&#10;echo two", host="node01"
        )
        return head + LESSON.format(lang=lang, commands=commands)
    if name == "quiz":
        items = "".join(
            f'<li><span class="grip">::</span><input class="pos" type="number" name="o-{word}" value="{i}" aria-label="{word}"><span data-label>{word}</span><span class="mv"></span></li>'
            for i, word in enumerate(("first", "second", "third"), 1)
        )
        return head + QUIZ.format(items=items)
    return None
