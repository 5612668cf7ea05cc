"""Pages: whatever a target holds, the elements are ours, nothing of it runs, and the browser is told what may."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from audit_lib.model import readable
from audit_lib.show import (
    changes,
    dashboard,
    excerpts,
    figures,
    fix_dashboard,
    fix_figures,
    frames,
    notebook,
    sidebyside,
    tables,
)
from audit_lib.untrusted import pages
from audit_lib.untrusted.text import printable
from tests.hostile import audits, strings

PACKAGE = Path(changes.__file__).parents[1]
TEXTS = pytest.mark.parametrize("hostile", strings.ALL, ids=lambda value: ascii(value)[:30])
POLICY = re.compile(r'<meta (?:http-equiv="Content-Security-Policy" content="([^"]*)"|content="([^"]*)" http-equiv=)')


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, the scripts, and where links lead."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.scripts: list[str] = []
        self.links: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "action", "formaction", "srcset")]
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def policy_of(page: str) -> str:
    found = POLICY.search(page)
    assert found is not None
    return html.unescape(found[1] or found[2])


def hashed(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def a_dashboard(texts: Sequence[str], folder: Path) -> tuple[Path, Path]:
    return dashboard.write_dashboard(audits.audit(texts), folder)


def a_dashboard_of_a_fix(texts: Sequence[str], folder: Path) -> tuple[Path, Path]:
    fix = audits.fix(texts)
    return fix_dashboard.write(fix.audit, fix.groups, fix.patch, folder)


@pytest.mark.parametrize("write", [a_dashboard, a_dashboard_of_a_fix])
def test_a_dashboard_has_our_elements_scripts_and_links_alone(
    write: Callable[[Sequence[str], Path], tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "get_plotlyjs", lambda: "/* plotly */")  # five million bytes that are the same
    benign = Elements(write([f"{strings.BENIGN} {n}" for n in range(9)], tmp_path)[0].read_text(encoding="utf-8"))
    file, twin = write(strings.ALL, tmp_path)
    text = file.read_bytes().decode("utf-8")
    page = Elements(text)
    assert set(page.elements) == set(benign.elements)
    assert len(page.scripts) == len(benign.scripts) == 4
    assert all(link.startswith("#") for link in page.links)
    data, *scripts = page.scripts
    assert json.loads(data) == json.loads(twin.read_bytes())
    assert not re.search("[<>&\u2028\u2029]", data)
    policy = policy_of(text)
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    assert {hashed(script) for script in scripts} == set(re.findall(r"'sha256-[^']*'", policy))
    shown = re.sub("(?s)<script.*?</script>|<style.*?</style>", "", text)
    assert all(char.isprintable() or char == "\n" for char in shown)


@TEXTS
def test_labels_of_figures_hold_no_markup(hostile: str) -> None:
    for text in (hostile, f"{'x' * 30}{hostile}"):
        label = figures.label(text)
        assert "<" not in label and ">" not in label
        assert all(map(str.isprintable, label))
        assert len(html.unescape(label)) <= figures.LABEL_LENGTH


def texts_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []


def test_every_figure_escapes_what_plotly_reads_as_markup() -> None:
    fix = audits.fix(strings.ALL)
    whole = readable(fix.audit)
    drawn = {name: draw(frames.findings(whole)) for name, draw in figures.ALL.items()}
    drawn |= fix_figures.drawn(whole, [readable(group) for group in fix.groups])
    for name, figure in drawn.items():
        spec = dashboard.drawn(name, figure)
        markup = {found for text in texts_of(spec) for found in re.findall("<[^>]*>", text)}
        assert markup <= {"<br>", "<extra>", "</extra>"}, name


def test_tables_and_excerpts_of_a_notebook_have_our_elements_alone() -> None:
    shown = []
    for texts in (strings.ALL, [strings.BENIGN] * len(strings.ALL)):
        frame = frames.findings(readable(audits.audit(texts)))
        title = "".join(strings.PAGES.values()) if texts is strings.ALL else strings.BENIGN
        rows = tuple(sidebyside._paired(sidebyside.Cell(n, text), None) for n, text in enumerate(texts))
        beside = excerpts.SideBySide(title, [(title, sidebyside.Hunk(title, rows))])
        made = (tables.plain(frame, title), tables.filterable(frame, title), beside)
        shown.append([Elements(one._repr_mimebundle_()["text/html"]) for one in made])
    for page, benign in zip(*shown, strict=True):
        assert set(page.elements) - {("span", ("class",))} == set(benign.elements) - {("span", ("class",))}
        assert len(page.scripts) == len(benign.scripts)


def a_notebook(*outputs: dict[str, object]) -> object:
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", o) for o in outputs])  # type: ignore[no-untyped-call]
    return nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]


def test_the_page_of_a_notebook_lets_our_scripts_run_and_none_that_broke_out() -> None:
    frame = frames.findings(audits.audit(["name"] * 3))
    good = tables.filterable(frame, "t")._repr_mimebundle_()
    broken = {**good, "text/html": str(good["text/html"]) + "<script>alert(1)</script>"}
    figure = {notebook.FIGURE: json.loads(figures.by_verdict(frame).to_json())}
    beside = excerpts.SideBySide("t", [])._repr_mimebundle_()
    beside["text/html"] = str(beside["text/html"]) + "<script>alert(2)</script>"
    for outputs in ((good, figure, figure), (good, figure, broken, beside)):
        page = notebook.html(a_notebook(*outputs), "page")
        policy = policy_of(page)
        allowed = set(re.findall(r"'sha256-[^']*'", policy))
        scripts = Elements(page).scripts
        evil = {hashed(script) for script in scripts if "alert(" in script and len(script) < 100}
        assert allowed.isdisjoint(evil)
        assert {hashed(script) for script in scripts if "Plotly.newPlot" in script and len(script) < 9000} <= allowed
        assert "'unsafe-inline'" not in policy.partition("style-src")[0]
        assert page.index("Content-Security-Policy") < page.index("<script")


def test_a_failure_is_told_as_text() -> None:
    page = notebook.html(a_notebook(), "page", failure=" ".join({**strings.PAGES, **strings.MARKDOWN}.values()))
    told = page.partition('aria-label="Failure"')[2].partition("</section>")[0]
    assert Elements(told).elements == [("h1", ()), ("p", ()), ("p", ())]
    assert all(char.isprintable() or char == "\n" for char in told)


@TEXTS
def test_text_and_attributes_cannot_end(hostile: str) -> None:
    page = Elements(f"<p title='{pages.text(hostile)}' class=\"{pages.code(hostile)}\">{pages.text(hostile)}</p>")
    assert page.elements == [("p", ("title", "class"))]
    assert html.unescape(pages.text(hostile)) == printable(hostile)


def test_only_the_one_place_escapes() -> None:
    """By the code itself: who else wrote HTML from text would not be checked by the tests above."""
    for file in PACKAGE.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        name = file.relative_to(PACKAGE).as_posix()
        if not name.startswith("untrusted/"):
            assert not re.search(r"^(?:from|import) (?:html|xml)\b", source, re.MULTILINE), name
        if name != "show/dashboard.py":
            assert "Markup" not in source, name
        if name not in ("show/export.py", "show/spreadsheet.py"):
            assert not re.search(r"\bcsv\.writer|xlsxwriter\b", source) or name == "runs/manifest.py", name
    for template in (PACKAGE / "show" / "templates").rglob("*.j2"):
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape false|\son\w+=", source), template.name
    raw = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function")
    for script in (PACKAGE / "show" / "templates").glob("*.js"):
        assert not raw.search(script.read_text(encoding="utf-8")), script.name
