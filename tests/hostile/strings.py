"""Text that attacks what shows it: one list for all tests. Names say what each is for."""

from __future__ import annotations

TERMINAL = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "c1 control sequence": "\x9b31m",
    "bell and backspace": "\x07ab\x08\x08xy",
    "nul and delete": "a\x00b\x7fc",
    "carriage return": "evil\rgood",
    "line feed": "first\nctxaudit: all is well",
    "next line and separators": "a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\x1dh\x1ei",
    "tab": "a\tb",
    "text turned round": "next\u202egnp.exe\u202c \u2066a\u2069",
    "nothing to see": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg",
    "blanks that count as letters": "a\u3164b\u115fc\u2800d\u034fe\ufe0ff",
    "language tags": "a\U000e0041\U000e007fb",
    "odd blanks": "a\u00a0b\u3000c\u1680d",
    "many marks": "a" + "\u0301" * 50,
    "no character": "a\ufffeb\uffffc\ufdd0d\U0010ffffe",
    "half a character": "a\ud800b\udcffc",
    "private": "a\ue000b",
    "long": "x" * 70_000,
    "wide": "名前" * 200,
}
MARKDOWN = {
    "end of code": "a`<img src=x onerror=alert(1)>`b",
    "many backticks": "a``` `` ````<b>",
    "only backticks": "````",
    "bar in code": "a|b\\|c\\\\|<img src=x>",
    "row": "x | y |\n|---|---|",
    "backslash at the end": "a\\",
    "html": "<img src=x onerror=alert(1)><script>alert(1)</script></details></summary>",
    "comment": "<!-- a --> <!--",
    "entity": "&lt;b&gt; &#60;i&#62; &#x200b;",
    "link": "[here](javascript:alert(1)) ![i](http://evil.example/x.png)",
    "reference": "[a]: http://evil.example\n[a]",
    "autolink": "<http://evil.example> http://evil.example www.evil.example ftp://evil.example me@evil.example",
    "mention": "@octocat (@org/team) @someone",
    "issue": "fixes #1, closes owner/repo#2, resolves GH-3, !4, closes https://github.com/o/r/issues/5",
    "commit": "0123456789abcdef0123456789abcdef01234567 deadbee1",
    "heading": "# heading",
    "setext": "a\n===\n",
    "quote": "> quote",
    "list": "- item",
    "numbers": "1. one",
    "fence": "```sh\nrm -rf /\n```",
    "tildes": "~~~\n~~gone~~",
    "emphasis": "**bold** _it_ *x*",
    "rule": "---",
    "command of a forge": "/close",
    "formula of maths": "$\\href{javascript:alert(1)}{x}$",
    "task": "[ ] a [x] b [^1]",
    "empty": "",
    "blank": "   ",
}
CELLS = {
    "link": '=HYPERLINK("http://evil.example","x")',
    "command": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(A1:A9)",
    "tab before": "\t=1+1",
    "return before": "\r=1+1",
    "line before": "\n=1+1",
    "blank before": "   =1+1",
    "quote before": '"=1+1"',
    "apostrophe before": "'=1+1",
    "behind a semicolon": "a;=1+1",
    "behind a semicolon and blanks": 'a; "=1+1',
    "behind a tab": "a\t=1+1",
    "behind a line": "a\n=1+1\r\n+1\r@x",
    "full width": "＝1+1",  # noqa: RUF001
    "full width plus": "＋1",  # noqa: RUF001
    "full width minus": "－1",  # noqa: RUF001
    "full width at": "＠SUM(1)",  # noqa: RUF001
    "small sign": "﹦1",
    "mark of the byte order before": "\ufeff=1+1",
    "nothing to see before": "\u200b=1+1",
    "escape of Excel": "_x003D_1+1 _x000A_",
    "rich text": "<r><t>x</t></r>",
}
PAGES = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script><img src=x onerror=alert(1)>",
    "comment in script": "<!--<script>",
    "attribute": "\" onmouseover=alert(1) x='",
    "link of plotly": "<a href=javascript:alert(1)>x</a><b>b</b><br>",
    "entity": "&lt;img src=x onerror=alert(1)&gt;",
    "template": "{{ 7*7 }} {% raw %} %{x} ${1} #{2}",
    "style": "</style><style>*{display:none}",
    "title": "</title><svg onload=alert(1)>",
    "address": "javascript:alert(1)",
}
CODE = {
    "end of a comment": "*/ func init() { panic(1) } /*",
    "new line": "a\n} func init() { panic(1) }\n//go:linkname x y",
    "directive": "//go:generate rm -rf /",
    "look-alike": "сontext.Background",  # noqa: RUF001
    "shell": "$(touch x); `touch y` 'z' \"",
    "option": "--target=/",
    "path": "../../etc/passwd",
}
ALL: tuple[str, ...] = tuple(
    dict.fromkeys(text for group in (TERMINAL, MARKDOWN, CELLS, PAGES, CODE) for text in group.values())
)
BENIGN = "name"
