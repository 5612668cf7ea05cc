"""Progress of long work, as the library sees it: a callable that the command line or a notebook gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Never

from audit_lib.untrusted.text import NAME_LIMIT
from audit_lib.untrusted.text import shown as told

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is in all (0: not known).

Behind a ` · ` stands what changes as it goes on: how many candidates, how many seconds are left.
"""


def silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""


@contextmanager
def bars() -> Iterator[Progress]:
    """Progress as bars, one for each thing that is under way: on standard error, or as widgets in a notebook.

    A bar appears when its work takes longer than a second, and goes when the work is done.
    """
    from tqdm.auto import tqdm

    shown: dict[str, tqdm[Never]] = {}

    def report(what: str, done: int, total: int) -> None:
        name = what.partition(" · ")[0]
        if name not in shown:
            shown[name] = tqdm(desc=told(what, NAME_LIMIT), total=total or None, leave=False, delay=1)
        bar = shown[name]
        bar.set_description(told(what, NAME_LIMIT), refresh=False)
        bar.total = total or None
        bar.update(done - bar.n)

    try:
        yield report
    finally:
        for bar in shown.values():
            bar.close()
