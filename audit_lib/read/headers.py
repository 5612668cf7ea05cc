"""What stands above the package clause of a Go file: who generated it, and when it is built."""

from __future__ import annotations

from collections.abc import Iterator

# From go/build's list of what the go tool reads in file names; `unix` is none of them.
# fmt: off
_SYSTEMS = frozenset(
    {
        "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl",
        "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos",
    }
)
_MACHINES = frozenset(
    {
        "386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "loong64", "mips", "mipsle", "mips64",
        "mips64le", "mips64p32", "mips64p32le", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x",
        "sparc", "sparc64", "wasm",
    }
)
# fmt: on
_GENERATED, _NO_EDIT = "// Code generated ", " DO NOT EDIT."
_MARK = "\ufeff"


def generator_of(header: list[str]) -> str:
    """Who generated a file, by its `// Code generated … DO NOT EDIT.` line: `mockery v2.43`; empty where nobody did."""
    for line in header:
        if line.startswith(_GENERATED) and line.endswith(_NO_EDIT):
            said = line[len(_GENERATED) : -len(_NO_EDIT)].strip().rstrip(".;,")
            return said.removeprefix("by ").strip() or "an unnamed generator"
    return ""


def build_of(file: str, header: list[str]) -> str:
    """The build constraint of a file: of its name, its `//go:build` line, or its old `// +build` lines."""
    stated, old = "", []
    for line in header:
        if line.startswith("//go:build "):
            stated = stated or line.removeprefix("//go:build ").strip()
        elif line.removeprefix("//").strip().startswith("+build "):
            old.append(_modern(line.removeprefix("//").strip().removeprefix("+build ")))
    parts = [*_implied_by(file), *([stated] if stated else old)]
    return parts[0] if len(parts) == 1 else " && ".join(f"({part})" if "||" in part else part for part in parts)


def leading_comments(text: str) -> list[str]:
    """The `//` comments before the first line of code; comments in `/* */` are passed over."""
    return list(_leading_comments(text))


def _leading_comments(text: str) -> Iterator[str]:
    inside, at = False, len(_MARK) if text.startswith(_MARK) else 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        raw, at = text[at:end], end + 1
        line = raw.strip()
        if inside or line.startswith("/*"):
            inside = "*/" not in line
        elif line.startswith("//"):
            yield raw.rstrip()
        elif line:
            return


def _modern(old: str) -> str:
    """A line of `// +build` in today's form: spaces are "or", commas are "and"."""
    options = [" && ".join(option.split(",")) for option in old.split()]
    return " || ".join(options)


def _implied_by(file: str) -> list[str]:
    """What a file's name demands: `conn_linux_amd64_test.go` is built for linux on amd64."""
    name = file.rpartition("/")[2].removesuffix(".go").removesuffix("_test")
    words = name.split("_")[1:]
    if len(words) >= 2 and words[-2] in _SYSTEMS and words[-1] in _MACHINES:
        return words[-2:]
    return words[-1:] if words and words[-1] in _SYSTEMS | _MACHINES else []
