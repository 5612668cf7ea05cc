"""What a run was made from and how far it came. Beside its results, so that a second run does only what is left."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

from audit_lib.model import Record
from audit_lib.runs import seal
from audit_lib.show.staging import staged
from audit_lib.untrusted.files import read_bytes, walk

NAME = "manifest.json"
SCHEMA = 2
PACKAGES = ("context-audit-workbench", "ast-grep-py", "ipykernel", "itables", "msgspec", "nbclient", "nbconvert")
DRAWING = ("pandas", "papermill", "plotly", "pyarrow", "xlsxwriter")
_GO_INPUTS = (".go", ".mod", ".sum", ".work", ".toml", ".yml", ".yaml")
_OUR_INPUTS = (*_GO_INPUTS, ".py", ".j2", ".css", ".js", ".json")
_NEVER = frozenset({".git", "node_modules", "__pycache__", ".venv"})


class Output(Record, frozen=True):
    """A file that a step left, relative to the run's folder, and the SHA-256 of its bytes."""

    file: str
    sha256: str


class Step(Record, frozen=True):
    """One step of a notebook's run (`execute`, `page`, `dashboard`): how it ended, its seconds, what it left."""

    name: str
    outcome: Literal["done", "failed"]
    seconds: float
    outputs: tuple[Output, ...] = ()
    detail: str = ""


class NotebookRun(Record, frozen=True):
    """One notebook's run: its steps in order, and `done` once all of them are."""

    notebook: str
    outcome: Literal["started", "done", "failed"]
    steps: tuple[Step, ...] = ()


class Manifest(Record, frozen=True):
    """A run: inputs by hash, parameters, versions, and the outcome of each notebook.

    `left` is the target's hash after a run that writes to it: what is there then is the same work, done. `seal` is in
    the file alone: it tells a manifest of this user's runs from one that somebody else has written.
    """

    schema: int
    inputs: dict[str, str]
    parameters: dict[str, str | int | float | bool | None]
    versions: dict[str, str]
    notebooks: tuple[NotebookRun, ...] = ()
    left: str = ""
    seal: str = ""

    def same_work(self, other: Manifest) -> bool:
        """Whether both are made from the same: then what one finished need not be done again for the other."""
        return (self.schema, self.inputs, self.parameters, self.versions) == (
            other.schema,
            other.inputs,
            other.parameters,
            other.versions,
        )

    def run_of(self, notebook: str) -> NotebookRun:
        """What is known of a notebook's run; a fresh one where nothing is."""
        return next((run for run in self.notebooks if run.notebook == notebook), NotebookRun(notebook, "started"))

    def with_run(self, run: NotebookRun) -> Manifest:
        """The manifest with a notebook's run put in or replaced."""
        others = tuple(other for other in self.notebooks if other.notebook != run.notebook)
        notebooks = tuple(sorted((*others, run), key=lambda other: other.notebook))
        return msgspec.structs.replace(self, notebooks=notebooks)

    def files(self) -> tuple[str, ...]:
        """All files that the steps left."""
        return tuple(output.file for run in self.notebooks for step in run.steps for output in step.outputs)


def read(out: Path) -> Manifest | None:
    """The manifest in a folder, without its seal.

    None where there is none, one that this version does not know, or one that no run of this user has written.
    """
    try:
        known = msgspec.json.decode(read_bytes(out, NAME), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
    plain = msgspec.structs.replace(known, seal="")
    return plain if seal.holds(_sealed(plain), known.seal) else None


def write(manifest: Manifest, out: Path) -> Path:
    """Write the manifest whole, with its seal; raises `OutputError`."""
    plain = msgspec.structs.replace(manifest, seal="")
    sealed = msgspec.structs.replace(plain, seal=seal.seal(_sealed(plain)))
    with staged(out) as stage:
        (stage / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(sealed), indent=2) + b"\n")
    return out / NAME


def _sealed(manifest: Manifest) -> bytes:
    """What a seal is of: all that the manifest says, however it is written down."""
    return msgspec.json.encode(manifest, order="sorted")


def finished(run: NotebookRun, name: str, out: Path) -> Step | None:
    """The step of that name where it is done and all that it left is still there, byte for byte."""
    step = next((step for step in run.steps if step.name == name and step.outcome == "done"), None)
    if step is None or any(file_hash(out / output.file) != output.sha256 for output in step.outputs):
        return None
    return step


def outputs(out: Path, files: Iterable[Path]) -> tuple[Output, ...]:
    """The records of files below `out`."""
    return tuple(Output(path.relative_to(out).as_posix(), file_hash(path)) for path in sorted(files))


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex; empty for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def target_hash(folder: Path, *, without: Path | None = None) -> str:
    """One hash of all that an audit may read below a folder: names and bytes of Go code, modules, configuration."""
    return _tree_hash(folder, _GO_INPUTS, without)


def library_hash() -> str:
    """One hash of this library's own files, so that a change in it is a change of the inputs."""
    return _tree_hash(Path(__file__).parent.parent, _OUR_INPUTS, None)


def versions(go: str) -> dict[str, str]:
    """The versions that a run was made with. `go` is the toolchain's, or a word for none."""
    found = {name: version(name) for name in (*PACKAGES, *DRAWING)}
    return {"python": platform.python_version(), "go": go, **found}


def _tree_hash(folder: Path, suffixes: tuple[str, ...], without: Path | None) -> str:
    whole = hashlib.sha256()
    skipped = without.resolve() if without else None
    for place in walk(folder, lambda name: name not in _NEVER):
        here = folder / place.name
        if skipped is not None and here.resolve().is_relative_to(skipped):
            continue
        for name in sorted((*place.files, *place.links, *place.others)):
            if name.endswith(suffixes) or name == "modules.txt":
                state = f"{place.inside(name)}\0{_hash_inside(folder, place.inside(name))}\n"
                whole.update(state.encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _hash_inside(folder: Path, file: str) -> str:
    """SHA-256 of a file's bytes, in hex; of one that an audit does not read, why."""
    try:
        return hashlib.sha256(read_bytes(folder, file)).hexdigest()
    except OSError as error:
        return error.strerror or type(error).__name__
