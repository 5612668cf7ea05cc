"""YAML that a target brings, read with bounds: before anything is built, what it holds is counted.

The parser in C hears no signal while it works, and an alias may stand for all that was written before it: a few lines
can ask for more memory than there is.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

SIZE_LIMIT = 256 << 10
"""Characters of a file of rules: the tool's own rules together have a tenth."""

NODES_LIMIT = 20_000
"""Values of a file of rules, those that an alias stands for counted again."""

DEPTH_LIMIT = 64
"""Mappings and lists inside each other: rules that people write have a tenth."""

_OPENS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSES = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class DocumentError(ValueError):
    """What is written is not read; the message says why, and on which line, for people."""


def documents(text: str) -> list[object]:
    """The documents of a YAML file, as plain values. Raises `DocumentError` for one that is broken or out of bounds."""
    if len(text) > SIZE_LIMIT:
        raise DocumentError(f"larger than {SIZE_LIMIT >> 10} KiB")
    try:
        _check(yaml.parse(text, Loader=yaml.CSafeLoader))
        return list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except DocumentError:
        raise
    except yaml.YAMLError as error:
        raise DocumentError(f"not valid YAML ({_where(error)})") from error
    except ValueError as error:  # dates and numbers that only look like one
        raise DocumentError(f"not valid YAML ({error})") from error


def _check(events: Iterator[yaml.Event]) -> None:
    """Go through what a file holds, without building it. Aliases count as what they stand for."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []  # the anchor of each value around, and how many values came before it
    count = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            sizes = {}
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor is None or event.anchor not in sizes:
                raise DocumentError(
                    f"{_line(event)}: the alias *{str(event.anchor)[:20]} stands for what it is in, or nothing"
                )
            count += sizes[event.anchor]
        elif isinstance(event, _CLOSES):
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = count - before
        elif isinstance(event, (*_OPENS, yaml.ScalarEvent)):
            if event.tag is not None:
                raise DocumentError(f"{_line(event)}: the tag {event.tag[:20]} is not read; write the value without it")
            count += 1
            if isinstance(event, _OPENS):
                open_.append((event.anchor, count - 1))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        if len(open_) > DEPTH_LIMIT:
            raise DocumentError(f"{_line(event)}: nested more than {DEPTH_LIMIT} deep")
        if count > NODES_LIMIT:
            raise DocumentError(f"{_line(event)}: more than {NODES_LIMIT} values, with those that aliases stand for")


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark is not None else "somewhere"


def _where(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())
