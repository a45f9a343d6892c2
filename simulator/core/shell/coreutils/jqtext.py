"""What jq says of a text that is no JSON (jv_parse.c): the first thing that its parser cannot take, and where it noticed."""

from __future__ import annotations


class _Bad(Exception):
    pass


class _Scanner:
    """jq's parser without the values: `stack` holds `[`, `{` and `:` (a key that waits for its value)."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.counts: list[int] = []
        self.next = ""  # the kind of the value that was read last: s, v or nothing
        self.token = ""

    def value(self, kind: str) -> None:
        if self.next:
            raise _Bad("Expected separator between values")
        self.next = kind

    def literal(self) -> None:
        """The bare word that has ended."""
        word, self.token = self.token, ""
        if not word:
            return
        if word[0] == "'":
            raise _Bad("Invalid string literal; expected \", but got '")
        fixed = {"t": "true", "f": "false", "n": "nan" if len(word) == 3 else "null"}.get(word[0])
        if fixed is not None:
            if word != fixed:
                raise _Bad("Invalid literal")
        else:
            try:
                float(word)
            except ValueError:
                raise _Bad("Invalid numeric literal") from None
        self.value("v")

    def sign(self, char: str) -> None:
        """A structural character."""
        top = self.stack[-1] if self.stack else ""
        if char in "[{":
            if self.next:
                raise _Bad("Expected separator between values")
            self.stack.append(char)
            self.counts.append(0)
        elif char == ":":
            if not self.next:
                raise _Bad("Expected string key before ':'")
            if top != "{":
                raise _Bad("':' not as part of an object" if top != ":" else "':' should follow a key")
            if self.next != "s":
                raise _Bad("Object keys must be strings")
            self.stack.append(":")
            self.next = ""
        elif char == ",":
            if not self.next:
                raise _Bad("Expected value before ','")
            if not top:
                raise _Bad("',' not as part of an object or array")
            self.element(top)
            self.next = ""
        else:
            self.close(char, top)

    def element(self, top: str) -> None:
        if top == "{":
            raise _Bad("Objects must consist of key:value pairs")
        if top == ":":
            self.stack.pop()
        self.counts[-1] += 1

    def close(self, char: str, top: str) -> None:
        opened = "[" if char == "]" else "{"
        if not top or (top != opened and not (char == "}" and top == ":")):
            raise _Bad(f"Unmatched '{char}'")
        if self.next:
            self.element(top)
        elif top == ":":
            raise _Bad("Objects must consist of key:value pairs")
        elif self.counts[-1]:
            raise _Bad("Expected another array element" if char == "]" else "Expected another key-value pair")
        self.stack.pop()
        self.counts.pop()
        self.next = "v"


def complaint(text: str) -> str:
    """The message for a text that Python's reader refused."""
    scanner = _Scanner()
    line, column, string, escaped = 1, 0, False, False
    try:
        for char in text:
            column += 1
            if char == "\n":
                line, column = line + 1, 0
            if string:
                if escaped:
                    escaped = False
                elif char == "\\":
                    escaped = True
                elif char == '"':
                    string = False
                    scanner.value("s")
            elif char in " \t\r\n":
                scanner.literal()
            elif char in "[]{}:,":
                scanner.literal()
                scanner.sign(char)
            elif char == '"':
                scanner.literal()
                string = True
            else:
                scanner.token += char
            if not scanner.stack and scanner.next:
                scanner.next = ""
        if string:
            raise _Bad("Unfinished string at EOF")
        scanner.literal()
        if scanner.stack:
            raise _Bad("Unfinished JSON term at EOF" if text.endswith("\n") else "Unfinished JSON term")
    except _Bad as wrong:
        return f"{wrong} at line {line}, column {column}"
    return "Invalid literal at line 1, column 1"
