"""Text of a target made safe to read: on a terminal, in a line of our own, in a comment that is written into code.

What cannot be seen, turns text round or steers a terminal is spelled out (`\\x1b`, `\\u202e`), so that names read as
what they are. Letters stay, also those that look like others: programs are written in all scripts.
"""

from __future__ import annotations

import re
import unicodedata

VALUE_LIMIT = 2000
"""Characters of one value that are shown in a line; compilers' messages are shorter."""

NAME_LIMIT = 160
"""Characters of a name that stands in a table: one that is longer would push the other columns out of sight."""

_MARKS = 4
"""Marks on one letter that are shown: more than any script has are drawn over the lines around."""

# Blank though Unicode counts them as letters, symbols and marks: fillers, joiners, selectors of variants.
_BLANKS = r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef"
_HIDDEN = re.compile(f"[{_BLANKS}]")
_OURS = re.compile(r"\x1b\[\d{1,2}m")
# What machines of continuous integration obey in what a command prints: `::set-output …`, `##[add-mask]`, `##vso[…]`.
_COMMAND = re.compile(r"(?m)^(?:[^\S\n]|\x1b\[\d{1,2}m)*:(?=:)|#(?=#\w*\[)")
_BARE = re.compile(r"[\w@%+=:,./~][\w@%+=:,./~-]*")


def printable(text: str) -> str:
    """Text with every character spelled out that is none to read, line breaks and tabs too."""
    if text.isascii():
        return text if text.isprintable() else "".join(map(_seen, text))
    if text.isprintable() and not _HIDDEN.search(text) and not any(map(unicodedata.combining, text)):
        return text
    parts, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        parts.append(_spelled(char) if marks > _MARKS or _HIDDEN.match(char) else _seen(char))
    return "".join(parts)


def lines_of(text: str) -> list[str]:
    """The lines of a text, each made safe; only line feeds part them."""
    return [printable(line) for line in text.split("\n")]


def code_line(text: str) -> str:
    """A line of code, made safe, with its tabs."""
    return "\t".join(map(printable, text.split("\t")))


def shown(text: str, limit: int = VALUE_LIMIT) -> str:
    """A name or another value in a line, made safe, every blank of it shown; cut where it is longer than `limit`."""
    return shortened(printable(text), limit)


def one_line(text: str, limit: int = VALUE_LIMIT) -> str:
    """Words in one line, made safe, line breaks as blanks; cut where they are longer than `limit` characters."""
    return shortened(printable(" ".join(text.split())), limit)


def shortened(text: str, limit: int) -> str:
    """Text that is cut, with a sign of it, where it is longer than `limit` characters."""
    return text if len(text) <= limit else f"{text[: max(limit - 1, 0)]}…"


def valid(text: str) -> str:
    """Text that UTF-8 can hold: halves of characters, as names of other encodings bring them, are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def width_of(text: str) -> int:
    """The columns that safe text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def padded(text: str, width: int) -> str:
    """Safe text, filled with blanks to so many columns."""
    return text + " " * (width - width_of(text))


def cut(text: str, width: int) -> str:
    """Safe text in at most so many columns, one at least."""
    if width_of(text) <= width:
        return text
    kept, used = 0, 0
    for char in text:
        used += _width(char)
        if used > width - 1:
            break
        kept += 1
    return f"{text[: max(kept, 1)]}…"


def painted(text: str, code: int | str) -> str:
    """Safe text in a colour of the terminal, by its number."""
    return f"\x1b[{code}m{text}\x1b[0m"


def guarded(text: str) -> str:
    """A whole output: lines, tabs and the colours of `painted`; whatever else would steer a terminal is spelled out.

    So is what would be a command to a machine that runs ours.
    """
    parts, done = [], 0
    for ours in _OURS.finditer(text):
        parts += [_layout(text[done : ours.start()]), ours[0]]
        done = ours.end()
    whole = "".join((*parts, _layout(text[done:])))
    if "::" in whole or "##" in whole:
        whole = _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", whole)
    return whole


def command_word(text: str) -> str:
    """A word of a command that people may paste into their shell: whatever it holds, it stays one word.

    A name that begins like an option is written so that it is none.
    """
    text = f"./{text}" if text.startswith("-") else text
    if _BARE.fullmatch(text) and printable(text) == text:
        return text
    if printable(text) == text:
        return "'" + text.replace("'", "'\\''") + "'"
    data = text.encode("utf-8", "surrogateescape" if _is_name(text) else "backslashreplace")
    return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in data) + "'"


def file_part(text: str) -> str:
    """Text as a part of a file's name: letters, digits and `-_.`, short enough for more to stand around it."""
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in text)[:48]


def comment(text: str, limit: int = 500) -> str:
    """Text for a comment of Go that ends with its line: nothing in it ends the comment, or is refused by a compiler."""
    return one_line(text, limit).replace("*/", "* /")


def _layout(text: str) -> str:
    return "\n".join(map(code_line, text.split("\n")))


def _seen(char: str) -> str:
    return char if char.isprintable() else _spelled(char)


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _is_name(text: str) -> bool:
    """Whether the halves of characters in a text are bytes of a file's name, as Python reads them."""
    return not any(0xD800 <= ord(char) < 0xDC80 or 0xDCFF < ord(char) <= 0xDFFF for char in text)
