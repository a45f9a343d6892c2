"""The terminal in a real browser against the protocol harness: local editing, exactly-once output and input, keyboard, paste."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.e2e.bench import comes, focus, ready, run, screen, shows
from tests.e2e.conftest import Watched
from tests.e2e.harness.server import Harness
from tests.e2e.test_page import violations

PROMPT = "controlplane:~$ "
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData('text/plain', text);
  const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
  document.querySelector('.term-panel:not([hidden]) textarea').dispatchEvent(event);
}"""


def bench(watched: Watched, harness: Harness, lang: str = "en") -> Page:
    harness.cluster()
    page = watched.open(f"/{lang}/lesson/")
    ready(page)
    shows(page, PROMPT.rstrip())
    focus(page)
    return page


def test_a_typed_command_shows_its_output_and_a_new_prompt(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo hello")
    shows(page, f"{PROMPT}echo hello\nhello\n{PROMPT}".rstrip())
    assert harness.cluster().texts() == ["echo hello"]


def test_typing_is_echoed_without_the_server(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    before = len(harness.cluster().received)
    page.keyboard.type("kubectl get pods")
    shows(page, PROMPT + "kubectl get pods")
    sent = [f for f in harness.cluster().received[before:] if f["t"] != "input" or f["kind"] != "resize"]
    assert sent == []


def test_keys_of_readline_edit_the_line(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.keyboard.type("echo wrold")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "Control+t"):
        page.keyboard.press(key)
    shows(page, PROMPT + "echo world")
    page.keyboard.press("Control+a")
    page.keyboard.press("Alt+d")
    page.keyboard.type("printf")
    shows(page, PROMPT + "printf world")
    page.keyboard.press("Control+e")
    page.keyboard.press("Control+w")
    page.keyboard.type("a ")
    page.keyboard.press("Control+y")
    shows(page, PROMPT + "printf a world")
    page.keyboard.press("Control+u")
    shows(page, PROMPT.rstrip())
    page.keyboard.press("Control+y")
    page.keyboard.press("Enter")
    comes(page, harness.cluster().texts, ["printf a world"])


def test_output_without_a_newline_keeps_the_prompt_behind_it(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "printf abc")
    shows(page, f"{PROMPT}printf abc\nabc{PROMPT}".rstrip())
    page.keyboard.type("x")
    shows(page, f"\nabc{PROMPT}x")


def test_output_that_fills_a_row_exactly_leaves_no_gap(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    cols = page.evaluate("() => document.querySelector('[data-bench]').bench.panel.view.term.cols")
    row = "y" * int(cols)
    harness.call(lambda: harness.cluster().out("controlplane", 1, row))
    page.wait_for_timeout(100)
    harness.call(lambda: harness.cluster().out("controlplane", 1, "\nnext\n"))
    shows(page, f"{row}\nnext\n{PROMPT}".rstrip())


def test_a_long_line_wraps_and_survives_a_resize(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    line = "echo " + "0123456789" * 22
    page.keyboard.type(line)
    shows(page, PROMPT + line)
    page.set_viewport_size({"width": 1100, "height": 900})
    page.wait_for_timeout(300)
    shows(page, PROMPT + line)
    page.keyboard.press("Home")
    page.keyboard.press("Delete")
    shows(page, PROMPT + line[1:])
    assert screen(page).count("cho 0123") == 1
    page.keyboard.type("e")
    page.keyboard.press("Enter")
    shows(page, PROMPT.rstrip())
    assert screen(page).count(line[5:]) == 2
    assert screen(page).count(PROMPT) == 1


def test_wide_characters_take_two_columns(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness, "ko")
    page.keyboard.insert_text("echo 안녕하세요 세계")
    shows(page, PROMPT + "echo 안녕하세요 세계")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    page.keyboard.insert_text("!")
    shows(page, PROMPT + "echo 안녕하세! 세계")
    page.keyboard.press("Enter")
    shows(page, f"안녕하세! 세계\n{PROMPT}".rstrip())


def test_composed_korean_arrives_whole(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness, "ko")
    session = page.context.new_cdp_session(page)
    for text in ("ㅎ", "하", "한"):
        session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    session.send("Input.insertText", {"text": "한"})
    session.send("Input.imeSetComposition", {"text": "글", "selectionStart": 1, "selectionEnd": 1})
    session.send("Input.insertText", {"text": "글"})
    shows(page, PROMPT + "한글")


def test_history_is_walked_and_searched(watched: Watched, harness: Harness) -> None:
    harness.cluster().history = {"controlplane": ["ls /etc", "kubectl get nodes", "date"]}
    page = bench(watched, harness)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    shows(page, PROMPT + "kubectl get nodes")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    shows(page, PROMPT.rstrip())
    page.keyboard.press("Control+r")
    page.keyboard.type("ls")
    shows(page, "(reverse-i-search)`ls': ls /etc")
    page.keyboard.type("x")
    shows(page, "(failed reverse-i-search)`lsx': ls /etc")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    comes(page, harness.cluster().texts, ["ls /etc"])


def test_tab_completes_what_is_common_and_lists_the_rest(watched: Watched, harness: Harness) -> None:
    harness.cluster().completions = ["pods", "poddisruptionbudgets", "nodes"]
    page = bench(watched, harness)
    page.keyboard.type("kubectl get no")
    page.keyboard.press("Tab")
    shows(page, PROMPT + "kubectl get nodes")
    page.keyboard.press("Control+w")
    page.keyboard.type("p")
    page.keyboard.press("Tab")
    shows(page, f"{PROMPT}kubectl get pod\npods                  poddisruptionbudgets")
    page.keyboard.type("s")
    shows(page, PROMPT + "kubectl get pods")


def test_keys_reach_the_program_in_the_foreground(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "sleep 1000")
    shows(page, PROMPT + "sleep 1000")
    page.keyboard.type("echo ahead")
    shows(page, f"{PROMPT}sleep 1000\necho ahead")
    page.keyboard.press("Control+c")
    shows(page, f"{PROMPT}sleep 1000\necho ahead^C\n{PROMPT}".rstrip())
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+d")
    keys = lambda: [f["data"].get("key") for f in harness.cluster().order if f["kind"] == "key"]  # noqa: E731
    comes(page, keys, ["ctrl-c", "ctrl-z", "ctrl-d"])


def test_a_line_typed_while_the_shell_is_busy_runs_after_it(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "sleep 5")
    run(page, "echo ahead")
    comes(page, harness.cluster().texts, ["sleep 5", "echo ahead"])
    harness.call(lambda: harness.cluster().finish("controlplane"))
    shows(page, f"{PROMPT}sleep 5\n{PROMPT}echo ahead\nahead\n{PROMPT}".rstrip())


def test_lines_go_to_a_program_that_reads(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "cat")
    run(page, "for cat")
    shows(page, f"{PROMPT}cat\nfor cat\nfor cat")
    page.keyboard.press("Control+d")
    shows(page, f"for cat\n{PROMPT}".rstrip())


def test_a_here_document_gets_the_second_prompt(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "cat <<EOF")
    shows(page, f"{PROMPT}cat <<EOF\n>")
    run(page, "text")
    run(page, "EOF")
    shows(page, f"{PROMPT}cat <<EOF\n> text\n> EOF\n{PROMPT}".rstrip())


def test_pasted_lines_wait_for_enter_and_then_for_each_other(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.evaluate(PASTE, "echo one\nsleep 5\necho two\n")
    shows(page, f"{PROMPT}echo one\nsleep 5\necho two")
    assert harness.cluster().texts() == []
    page.keyboard.press("Enter")
    shows(page, f"{PROMPT}sleep 5\n… 1 more line waits for the shell")
    assert harness.cluster().texts() == ["echo one", "sleep 5"]
    harness.call(lambda: harness.cluster().finish("controlplane"))
    shows(page, f"{PROMPT}sleep 5\n{PROMPT}echo two\ntwo\n{PROMPT}".rstrip())


def test_ctrl_c_drops_pasted_lines_that_wait(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.evaluate(PASTE, "sleep 5\necho never")
    page.keyboard.press("Enter")
    shows(page, "waits for the shell")
    page.keyboard.press("Control+c")
    shows(page, f"{PROMPT}sleep 5\n^C\n{PROMPT}".rstrip())
    assert harness.cluster().texts() == ["sleep 5"]


def test_run_types_into_the_terminal_that_the_text_names(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.get_by_role("button", name="Run: echo from the text").click()
    shows(page, f"{PROMPT}echo from the text\nfrom the text\n{PROMPT}".rstrip())
    page.get_by_role("button", name="Run: echo one").click()
    shows(page, "node01:~$ echo one\none\nnode01:~$ sleep 5\n… 1 more line waits for the shell", "node01")
    assert page.get_by_role("tab", name="node01").get_attribute("aria-selected") == "true"
    harness.call(lambda: harness.cluster().finish("node01"))
    shows(page, "node01:~$ echo two\ntwo\nnode01:~$", "node01")


def test_copy_copies_the_command(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.get_by_role("button", name="Copy: echo from the text").click()
    page.wait_for_function("() => document.querySelector('[data-notices]')?.textContent === 'Copied.'")
    assert page.evaluate("() => navigator.clipboard.readText()") == "echo from the text"


def test_escape_then_tab_leaves_the_terminal_both_ways(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("() => document.activeElement.id") == "tab-controlplane"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.id") == "tab-node01"
    assert "leaves the terminal" in page.locator(".tabs").inner_text()


def test_escape_is_also_the_meta_key(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.keyboard.type("one two")
    page.keyboard.press("Escape")
    page.keyboard.type("b")
    page.keyboard.type("x")
    shows(page, PROMPT + "one xtwo")


def test_a_terminal_of_another_host_is_opened_once(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.get_by_role("tab", name="node02").click()
    shows(page, "node02:~$", "node02")
    page.get_by_role("tab", name="controlplane").click()
    page.get_by_role("tab", name="node02").click()
    page.wait_for_timeout(100)
    assert [f["data"]["terminal"] for f in harness.cluster().order if f["kind"] == "open"] == ["node02"]


def test_two_terminals_stand_side_by_side_and_change_places(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    split = page.get_by_role("button", name="Split", exact=True)
    split.click()
    page.wait_for_function("() => document.querySelector('[data-bench]').bench.panel.tabs.get('node01').view")
    assert page.locator(".term-panel:visible").count() == 2
    run(page, "echo one")
    shows(page, "one\ncontrolplane:~$")
    page.locator("#panel-node01 .xterm-screen").click()
    page.wait_for_function("() => document.querySelector('[data-bench]').bench.panel.current === 'node01'")
    page.keyboard.type("echo two")
    page.keyboard.press("Enter")
    shows(page, "two\nnode01:~$", "node01")
    assert (
        page.locator("#panel-controlplane").is_visible()
        and page.get_by_role("tab", name="node01").get_attribute("aria-selected") == "true"
    )
    assert violations(page) == []
    page.get_by_role("tab", name="node02").click()
    assert page.locator(".term-panel:visible").count() == 2 and not page.locator("#panel-node01").is_visible()
    split.click()
    assert page.locator(".term-panel:visible").count() == 1
    page.set_viewport_size({"width": 390, "height": 800})
    assert not split.is_visible()


def test_a_cluster_that_is_still_being_made_gets_no_second_terminal(watched: Watched, harness: Harness) -> None:
    cluster = harness.cluster()
    kept, cluster.terminals = cluster.terminals, {}
    page = watched.open("/en/lesson/")
    ready(page)
    page.wait_for_timeout(200)
    cluster.terminals = kept
    harness.call(lambda: cluster.broadcast(cluster.state()))
    shows(page, PROMPT.rstrip())
    assert [f for f in cluster.order if f["kind"] == "open"] == []


def test_echo_and_output_that_arrive_apart_show_the_prompt_only_at_the_end(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    cluster = harness.cluster()
    cluster.line = lambda terminal, text: cluster.out("controlplane", 0, f"{PROMPT}{text}\n")  # type: ignore[method-assign]
    cluster.hold_acks = True
    run(page, "slow")
    page.wait_for_function("() => document.querySelector('[data-bench]').bench.connection.cursor === 1")
    shows(page, f"{PROMPT}slow")
    cluster.hold_acks = False
    harness.call(lambda: cluster.out("controlplane", 1, "done\n"))
    shows(page, f"{PROMPT}slow\ndone")
    harness.call(lambda: cluster.broadcast(cluster.state()))
    shows(page, f"{PROMPT}slow\ndone\n{PROMPT}".rstrip())


def test_the_last_row_is_on_the_screen(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    harness.call(lambda: harness.cluster().out("controlplane", 1, "".join(f"line {i}\n" for i in range(200))))
    shows(page, f"line 199\n{PROMPT}".rstrip())
    for height in (1000, 760):
        page.set_viewport_size({"width": 1440, "height": height})
        page.wait_for_timeout(400)
        bottoms = "() => ['.xterm-screen', '.term-panel'].map((s) => document.querySelector(s).getBoundingClientRect().bottom)"
        drawn, room = page.evaluate(bottoms)
        assert drawn <= room <= height + 0.5


def test_a_command_never_runs_on_an_old_size(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo wide")
    shows(page, f"wide\n{PROMPT}".rstrip())
    rows = [f for f in harness.cluster().order if f["kind"] in ("resize", "line")]
    assert [f["kind"] for f in rows] == ["resize", "line"]
    assert rows[0]["data"]["columns"] == page.evaluate("() => document.querySelector('[data-bench]').bench.panel.view.term.cols")


# ---- a line that breaks


def test_output_is_shown_once_after_a_lost_connection(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo before")
    shows(page, PROMPT.rstrip())
    harness.drop()
    page.wait_for_selector('[data-bench][data-connection="lost"]')
    assert page.locator(".bench-banner").is_visible()
    harness.call(lambda: harness.cluster().out("controlplane", 1, "meanwhile\n"))
    ready(page)
    shows(page, f"{PROMPT}echo before\nbefore\nmeanwhile\n{PROMPT}".rstrip())
    assert page.locator(".bench-banner").is_hidden()
    hello = [f for f in harness.cluster().received if f["t"] == "hello"]
    assert [h["cursor"] for h in hello] == [0, 2]


def test_a_repeated_chunk_is_dropped(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo once")
    shows(page, PROMPT.rstrip())
    harness.call(lambda: harness.cluster().broadcast({"t": "out", "cursor": 2, "chunks": harness.cluster().chunks}))
    harness.call(lambda: harness.cluster().out("controlplane", 1, "end\n"))
    shows(page, f"once\nend\n{PROMPT}".rstrip())
    assert screen(page).count("once") == 2


def test_an_unacknowledged_line_is_sent_again_with_its_id(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    harness.cluster().hold_acks = True
    run(page, "echo again")
    comes(page, harness.cluster().texts, ["echo again"])
    harness.drop()
    page.wait_for_selector('[data-bench][data-connection="lost"]')
    harness.cluster().hold_acks = False
    ready(page)
    shows(page, f"{PROMPT}echo again\nagain\n{PROMPT}".rstrip())
    sent = [f for f in harness.cluster().received if f["t"] == "input" and f["kind"] == "line"]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert harness.cluster().texts() == ["echo again"]


def test_lines_typed_without_a_connection_are_kept_and_sent(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    harness.refuse = 1011
    harness.drop()
    page.wait_for_selector('[data-bench][data-connection="lost"]')
    run(page, "echo kept")
    shows(page, f"{PROMPT}echo kept")
    again = page.get_by_role("button", name="Try now")
    again.wait_for()
    harness.refuse = 0
    # in one turn of the page: by the time a mouse is there, it may have connected by itself and put the button away
    page.evaluate("() => [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === 'Try now')?.click()")
    ready(page)
    shows(page, f"{PROMPT}echo kept\nkept\n{PROMPT}".rstrip())


def test_a_line_on_its_way_survives_a_reload(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    harness.refuse = 1011
    harness.drop()
    page.wait_for_selector('[data-bench][data-connection="lost"]')
    run(page, "echo reload")
    shows(page, "echo reload")
    harness.refuse = 0
    page.reload()
    ready(page)
    shows(page, f"{PROMPT}echo reload\nreload\n{PROMPT}".rstrip())
    assert harness.cluster().texts() == ["echo reload"]


def test_a_page_opened_later_shows_everything_so_far(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo first")
    shows(page, PROMPT.rstrip())
    page.reload()
    ready(page)
    shows(page, f"{PROMPT}echo first\nfirst\n{PROMPT}".rstrip())


def test_a_refused_connection_is_final_and_says_why(watched: Watched, harness: Harness) -> None:
    harness.refuse = 4401
    harness.cluster()
    page = watched.open("/en/lesson/")
    page.wait_for_selector('[data-bench][data-connection="refused"]')
    assert "logged out" in page.locator(".bench-banner").inner_text()
    page.wait_for_timeout(700)
    assert page.get_attribute("[data-bench]", "data-connection") == "refused"


def test_a_refused_input_is_told_and_leaves_the_screen(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    cluster = harness.cluster()

    def refuse(frame: dict[str, Any], send: Any) -> None:
        send({"t": "error", "reason": "full", "message": "The journal is full.", "id": frame["id"], "fatal": False})

    cluster.input = refuse  # type: ignore[method-assign]
    run(page, "echo no")
    page.wait_for_selector(".bench-notice:not([hidden])")
    assert "The journal is full." in page.locator(".bench-notice").inner_text()
    shows(page, PROMPT.rstrip())
    assert "echo no" not in screen(page)


# ---- other views


def test_the_plain_terminal_does_the_same(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo hello")
    page.get_by_role("button", name="Plain", exact=True).click()
    field = page.get_by_label("Terminal input")
    field.fill("echo plain")
    field.press("Enter")
    page.wait_for_function("() => document.querySelector('[role=log]').textContent.endsWith('plain\\n')")
    assert page.locator("[role=log]").inner_text() == f"{PROMPT}echo hello\nhello\n{PROMPT}echo plain\nplain\n"
    field.press("ArrowUp")
    assert field.input_value() == "echo plain"
    page.get_by_role("button", name="Plain", exact=True).click()
    shows(page, f"plain\n{PROMPT}".rstrip())


def test_escape_sequences_of_output_do_not_show_in_the_plain_terminal(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.get_by_role("button", name="Plain", exact=True).click()
    harness.call(lambda: harness.cluster().out("controlplane", 1, "\x1b[31mred\x1b[0m <b>text</b>\n"))
    page.wait_for_function("() => document.querySelector('[role=log]').textContent === 'red <b>text</b>\\n'")


def test_the_screen_reader_mode_is_remembered(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.get_by_role("button", name="Screen reader").click()
    run(page, "echo spoken")
    page.wait_for_selector(".xterm-accessibility")
    page.reload()
    ready(page)
    assert page.get_by_role("button", name="Screen reader").get_attribute("aria-pressed") == "true"
    page.wait_for_selector(".xterm-accessibility")


def test_only_a_size_that_lasts_is_sent(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    drawn = page.evaluate("() => document.querySelector('[data-bench]').bench.panel.view.term.cols")

    def sizes() -> list[int]:
        return [f["data"]["columns"] for f in harness.cluster().order if f["kind"] == "resize"]

    comes(page, sizes, [drawn])
    # in one turn of the page, so that none of the first two lasts on a slow machine either
    several = "(name) => { for (const columns of [50, 60, 70]) document.querySelector('[data-bench]').bench.panel.resized(name, columns, 20) }"
    page.evaluate(several, "controlplane")
    comes(page, sizes, [drawn, 70])
    page.set_viewport_size({"width": 1200, "height": 900})
    comes(page, lambda: sizes()[2:] != [], True)
    cols = page.evaluate("() => document.querySelector('[data-bench]').bench.panel.view.term.cols")
    assert sizes()[-1] == cols < drawn
    sent = sizes()
    page.reload()
    ready(page)
    page.wait_for_timeout(1000)
    assert sizes() == sent


def test_keys_go_unedited_to_a_full_screen_program(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    harness.call(lambda: harness.cluster().full_screen(True))
    page.wait_for_timeout(300)
    before = len(harness.cluster().received)
    page.keyboard.type("ihello")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")

    def sent() -> str:
        frames = harness.cluster().received[before:]
        return "".join(f["data"]["data"] for f in frames if f["t"] == "input" and f["kind"] == "keys")

    for _ in range(50):
        if sent().endswith("\r"):
            break
        page.wait_for_timeout(100)
    assert sent() == "ihello\x1b\r"
    harness.call(lambda: harness.cluster().full_screen(False))
    page.wait_for_timeout(300)
    run(page, "echo hello")
    shows(page, f"echo hello\nhello\n{PROMPT}".rstrip())
    assert harness.cluster().texts() == ["echo hello"]
