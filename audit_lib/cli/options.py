"""The options that commands have, each declared once: several commands share most of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Target = Annotated[Path, typer.Argument(metavar="DIR", help="The Go code: a module, a workspace, a repository.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration, in place of DIR/ctxaudit.toml.")
]
Phases = Annotated[list[str] | None, typer.Option("--phase", metavar="NAME", help="Only this phase; may be repeated.")]
Tags = Annotated[str, typer.Option("--tags", metavar="A,B", help="Build tags the packages are loaded with.")]
Mod = Annotated[Literal["mod", "readonly", "vendor"] | None, typer.Option("--mod", help="The go command's -mod.")]
ModFile = Annotated[str, typer.Option("--modfile", metavar="FILE", help="The go command's -modfile.")]
Outside = Annotated[
    list[Path] | None,
    typer.Option("--outside", metavar="FOLDER", help="A folder that go.mod or go.work may name; may be repeated."),
]
SyntaxOnly = Annotated[bool, typer.Option("--syntax-only", help="Read without a Go toolchain: every site is review.")]
AuditTime = Annotated[
    float, typer.Option("--max-time", metavar="SECONDS", min=1, help="What the audit may take; the rest is review.")
]
Results = Annotated[Path | None, typer.Option("--out", metavar="OUT", help="Folder for the results.")]
Formats = Annotated[
    str, typer.Option("--format", metavar="LIST", help="What to write into OUT: jsonl, csv, xlsx, parquet.")
]
Every = Annotated[bool, typer.Option("--all", help="List every site, not only the pressing ones.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="FINGERPRINT", help="Only these findings; may be repeated, or be a list A,B."),
]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", metavar="NAME", help="Only request, background, init or test; may be repeated."),
]
Patches = Annotated[
    Path | None, typer.Option("--out", metavar="OUT", help="Folder for patches, a summary and records.")
]
Level = Literal["build", "test", "race"]
Verify = Annotated[Level, typer.Option("--verify", help="How far the result is proved.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="What a package's tests may take.")]
FixTime = Annotated[
    float | None,
    typer.Option(
        "--max-time", metavar="SECONDS", min=1, help="What all of it may take; what is not proved by then is refused."
    ),
]
Document = Annotated[bool, typer.Option("--document", help="Write the reason beside each root that is kept.")]
Generate = Annotated[
    bool, typer.Option("--generate/--no-generate", help="Generate mocks again, where their tool is at hand.")
]
Write = Annotated[bool, typer.Option("--write", help="Write the result to DIR, when it is proved.")]
Force = Annotated[bool, typer.Option("--force", help="Write over what git could not bring back.")]
Diff = Annotated[bool, typer.Option("--diff", help="Print the diff.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No tables and no progress: files and the exit code.")]


def split(names: str) -> tuple[str, ...]:
    """The names of a list like `a,b`."""
    return tuple(name.strip() for name in names.split(",") if name.strip())
