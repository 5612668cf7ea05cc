"""A summary is Markdown that forges render: its structure is ours whatever a target holds, and nothing is a link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

import mistune
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from audit_lib.show.summary import LIMIT, summary
from audit_lib.untrusted import markdown
from audit_lib.untrusted.text import one_line, shown
from tests.hostile import audits, strings

TEXTS = pytest.mark.parametrize("hostile", strings.ALL, ids=lambda value: ascii(value)[:30])
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OTHER = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url", "task_lists", "footnotes"])
# What forges look for in the text that readers see.
LINKED = re.compile(r"@\w|[#!]\d|\bGH-\d|\w://|\bwww\.|\b[0-9a-f]{7,40}\b", re.IGNORECASE)


def flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or ())


def structure(text: str) -> list[tuple[str, str]]:
    """What the text is made of but for its words."""
    kinds = [(token.type, token.tag) for token in flat(READER.parse(text))]
    return [kind for kind in kinds if kind[0] not in ("text", "text_special", "html_inline", "html_block")]


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text outside of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []
        self._code = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.words.append(data)


@TEXTS
def test_the_structure_of_a_summary_is_ours(hostile: str) -> None:
    benign, text = summary(audits.benign()), summary(audits.hostile(hostile))
    if hostile.strip():
        assert structure(text) == structure(benign)
    else:  # an item of no words has no paragraph, a cell none either
        assert set(structure(text)) <= set(structure(benign))


@TEXTS
@pytest.mark.parametrize("render", [READER.render, OTHER], ids=["markdown-it", "mistune"])
def test_what_is_rendered_has_our_elements_alone_and_no_link(hostile: str, render: object) -> None:
    assert callable(render)
    benign = Elements(str(render(summary(audits.benign()))))
    page = Elements(str(render(summary(audits.hostile(hostile)))))
    if hostile.strip():
        assert page.elements == benign.elements
    assert {tag for tag, _ in page.elements}.isdisjoint({"a", "img", "script", "input", "pre", "sup"})
    assert not LINKED.search("".join(page.words))


def contents(text: str, *kinds: str) -> list[str]:
    """What the tokens of these types hold."""
    return [token.content for token in flat(READER.parse(text)) if token.type in kinds]


def words(text: str) -> str:
    """What readers see of an item, without the blanks of no width."""
    return "".join(contents(f"- {text}", "code_inline", "text", "text_special")).replace("\u200b", "")


@TEXTS
def test_a_value_is_read_back_as_it_was_meant(hostile: str) -> None:
    assert words(f"{markdown.code(hostile)} end") == f"{shown(hostile, markdown.LIMIT) or ' '} end"
    assert words(f"{markdown.text(hostile)} end").strip() == f"{one_line(hostile, markdown.LIMIT)} end".strip()


def test_code_shows_what_a_name_holds() -> None:
    for name in ("a`b", "``", "a\\", " a ", "a|b", "*x*", "<b>", "@x", "a\\|b"):
        assert contents(f"- {markdown.code(name)}", "code_inline") == [name]
    table = "| a |\n|---|\n| {} |\n"
    for name in ("a`b", "a|b", "*x*", "||"):
        inline = [
            token for token in flat(READER.parse(table.format(markdown.code_cell(name)))) if token.type == "code_inline"
        ]
        assert [token.content for token in inline] == [name]
    assert markdown.code_cell("a\\|b") == r"`a\\x7cb`"


def test_text_shows_what_a_person_wrote() -> None:
    for said in (
        "a*b_c [x] | ~y~ `z` #1 @me <T> & \\n",
        "- one",
        "1. two",
        "> three",
        "# four",
        "+ five",
        "https://x.y www.z",
    ):
        assert words(markdown.text(said)) == said


def test_honest_text_has_no_more_signs_than_it_needs() -> None:
    honest = "QueryContext takes the request's context, which (*Store).Get has: 3 calls up, in core/bus.go:7"
    assert markdown.text(honest) == honest.replace("*", "\\*")
    assert markdown.code("core/bus.go:7") == "`core/bus.go:7`"


def test_a_summary_with_too_much_to_say_ends_where_a_line_does() -> None:
    texts = [f"{number}{'x' * 600}" for number in range(1000)]
    text = summary(audits.fix(texts))
    assert len(text) <= LIMIT
    assert text.endswith("`changes.jsonl` and `refusals.jsonl` hold all.\n")
    assert text.count("<details>") == text.count("</details>")
