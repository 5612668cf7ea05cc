"""What is scanned by hand says what the expressions said whose place it took, and does not go back over its input."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from audit_lib.change.detaching import _is_assigned
from audit_lib.change.gotext import _behind_opening
from audit_lib.change.named import _actions
from audit_lib.read.remarks import says_another, says_not_ended
from tests.hostile.limited import limited

OPENING = re.compile(rb"(?:[ \t]*/\*[^\n]*?\*/)*[ \t]*(?://[^\n]*)?\r?\n\s*|[ \t]*")
ACTION = re.compile(rb"\{\{-?\s*(?!/\*)(.*?)\}\}", re.DOTALL)
ASSIGNED = re.compile(rb"\ba\b\s*(?:,[^=\n]*)?(?:[-+*/%&|^]?=[^=]|\+\+|--)")
ANOTHER = re.compile(
    r"\b(background|new|fresh|separate|own|different|detached|clean|independent|another)\b[^.]{0,30}\b(context|ctx)\b"
    r"|context\.(background|todo)\b",
    re.IGNORECASE,
)
NOT_ENDED = re.compile(
    r"\beven (if|when|though|after)\b|\b(regardless|independen|irrespective|whether or not|no matter)"
    r"|\b(outlive|survive|guarantee)"
    r"|(\bnot|n't|\bnever|\bwithout|\bavoid\w*|\bprevent\w*)\b[^.]{0,60}"
    r"\b(cancel|abort|interrupt|time[sd]? ?out|expire)"
    r"|\b(because|since|as|in case)\b[^.]{0,60}\b(context|ctx|request)\b[^.]{0,40}"
    r"\b(may|might|could|can|will|would|has|is|was|been|already)\b[^.]{0,25}"
    r"\b(done|cancell?ed|expired|closed|ended|gone|timed out)\b",
    re.IGNORECASE,
)
WORDS = st.sampled_from(
    [
        "own",
        "new",
        "not",
        "never",
        "n't",
        "avoiding",
        "cancel",
        "cancelled",
        "timed",
        "out",
        "since",
        "as",
        "in",
        "case",
        "context",
        "ctx",
        "request",
        "may",
        "has",
        "been",
        "is",
        "done",
        "gone",
        ".",
        ",",
        ";",
        "-",
        "the",
        "xxxxxxxxxxxxxxxxxx",
        "context.TODO",
        "even",
        "if",
        "Because",
        "CTX",
        "nothing",
        "doesn't",
    ]
)


@settings(max_examples=400)
@given(st.lists(WORDS, max_size=25), st.sampled_from([" ", " ", "\n", ""]))
def test_remarks_mean_what_they_meant(words: list[str], between: str) -> None:
    said = between.join(words)
    assert says_another(said) is (ANOTHER.search(said) is not None)
    assert says_not_ended(said) is (NOT_ENDED.search(said) is not None)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([b" ", b"\t", b"\n", b"\r\n", b"/* a */", b"/**/", b"/* \n */", b"// b\n", b"// /*\n"]))
)
def test_what_is_behind_an_opening_ends_where_it_did(parts: list[bytes]) -> None:
    data = b"(" + b"".join(parts) + b"x)"
    end = len(data) - 2
    match = OPENING.match(data, 1, end)
    assert _behind_opening(data, 1, end) == (match.end() if match else 1)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([b"{{", b"}}", b"{", b"}", b"-", b" ", b"/*", b"*/", b".Name", b"\n", b"$x", b"a"])))
def test_actions_of_templates_are_those_that_were_found(parts: list[bytes]) -> None:
    data = b"".join(parts)
    expected = [(data.count(b"\n", 0, match.start()) + 1, match[1].strip(b" -\n")) for match in ACTION.finditer(data)]
    assert [(line, action.strip(b" -\n")) for line, action in _actions(data)] == expected


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from([b"a", b"b", b" ", b",", b"=", b"==", b"+=", b"++", b"--", b"\n", b"+", b"1", b"a, b"]))
)
def test_assignments_are_those_that_were_found(parts: list[bytes]) -> None:
    code = b"".join(parts)
    assert _is_assigned(code, re.finditer(rb"\ba\b\s*", code)) is (ASSIGNED.search(code) is not None)


def test_none_goes_back_over_its_input() -> None:
    limited(
        "import re\n"
        "from audit_lib.change.gotext import _behind_opening\n"
        "from audit_lib.change.named import _actions\n"
        "from audit_lib.change.detaching import _is_assigned\n"
        "from audit_lib.read.remarks import says_another, says_not_ended\n"
        "for piece in (b'/**/', b'/* ', b' ', b'\\n', b'//', b'/*\\n*/'):\n"
        "    data = b'(' + piece * 250_000 + b'x'\n"
        "    _behind_opening(data, 1, len(data) - 1)\n"
        "for piece in (b'{{', b'}}', b'{{}}', b'{{/*', b'{{.A', b'{'):\n"
        "    list(_actions(piece * 250_000))\n"
        "for piece in (b'a ,', b'a', b'a , ==', b'a = = ', b'a\\n', b' ', b'a,b\\n'):\n"
        "    code = piece * 250_000\n"
        "    _is_assigned(code, re.finditer(rb'\\ba\\b\\s*', code))\n"
        "for piece in ('new ', 'not ', 'since ', 'as ctx ', 'as ctx may ', 'avoid', 'own own. ', 'ctx '):\n"
        "    says_another(piece * 100_000), says_not_ended(piece * 100_000)\n"
    )
