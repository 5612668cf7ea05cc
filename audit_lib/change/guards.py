"""Contexts that can be nil: tests make parameters by hand, or run a command's function without the command.

A small function in the package stands between: it gives the context that is there, and one that never ends where there
is none. It is written only where a test has shown that it is needed.
"""

from __future__ import annotations

from audit_lib.change.imports import package_name
from audit_lib.change.problem import Problem
from audit_lib.model import Edit, Span
from audit_lib.read.facts import Origin

SUFFIX = ".Context()"
REQUEST = "net/http.Request"
_NAMES = {REQUEST: ("requestContext", "requestContextOf"), "": ("contextOf", "carriedContext")}

_FOR_REQUEST = """package {package}

import (
	"context"
	"net/http"
)

// {name} is the context of a request. Without a request, as in tests that make parameters by hand, it never ends.
func {name}(r *http.Request) context.Context {{
	if r == nil {{
		return context.Background() //ctxaudit:keep there is no request to end it
	}}
	return r.Context()
}}
"""

_FOR_OTHERS = """package {package}

import "context"

// {name} is the context that something carries. Where it has none yet, as a command that is not run, it never ends.
func {name}(carrier interface{{ Context() context.Context }}) context.Context {{
	if ctx := carrier.Context(); ctx != nil {{
		return ctx
	}}
	return context.Background() //ctxaudit:keep there is nothing to end it
}}
"""


def can_guard(source: Origin) -> bool:
    """Whether a context may be nil and a function can stand between."""
    return source.nilable and source.expr.endswith(SUFFIX)


def guarded(problem: Problem, source: Origin) -> tuple[str, Edit]:
    """The expression that never is nil, and the edit that makes the file with the function that it calls."""
    text = problem.texts[source.file]
    kind = source.gives if source.gives == REQUEST else ""
    folder = source.file.rpartition("/")[0]
    package = problem.package_in(folder)
    name = next((name for name in _NAMES[kind] if f"{package}.{name}" not in problem.graph.funcs), _NAMES[kind][-1])
    form = _FOR_REQUEST if kind else _FOR_OTHERS
    content = form.format(package=package_name(text), name=name)
    file = f"{folder}/{_file_name(name)}".removeprefix("/")
    return f"{name}({source.expr.removesuffix(SUFFIX)})", Edit(Span(file, 0, 0, 1, 1), content)


def _file_name(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name) + ".go"
