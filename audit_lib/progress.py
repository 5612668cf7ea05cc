"""Progress of long work, as the library sees it: a callable that the command line or a notebook gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Never

from audit_lib.untrusted.text import NAME_LIMIT
from audit_lib.untrusted.text import shown as told

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is in all (0: not known).

Behind a ` · ` stands what changes as it goes on: how many candidates, how many seconds are left.
"""

LIMIT = "time for all of it · "
"""How it is told what a fix may take, the seconds behind it: that is told where no progress is shown, too."""

MAX_TIME = 3600.0
"""How many seconds an audit may take by default: a repository of a million lines takes a few minutes."""


def silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""


TICK = 1.0
"""Seconds between two looks of a bar at the clock: long steps report nothing while they go on."""


@contextmanager
def bars() -> Iterator[Progress]:
    """Progress as bars, one for each thing that is under way: on standard error, or as widgets in a notebook.

    A bar appears when its work takes longer than a second, and goes when the work is done. What has no end that is
    known shows for how long it has been going on.
    """
    from tqdm.auto import tqdm

    shown: dict[str, tqdm[Never]] = {}
    lock, ended = threading.Lock(), threading.Event()

    def report(what: str, done: int, total: int) -> None:
        name = what.partition(" · ")[0]
        with lock:
            if name not in shown:
                form = None if total else "{desc} · {elapsed}"
                shown[name] = tqdm(total=total or None, leave=False, delay=TICK, bar_format=form)
            bar = shown[name]
            bar.set_description_str(told(what, NAME_LIMIT), refresh=False)
            bar.total = total or None
            bar.update(done - bar.n)
            if total and done >= total:
                shown.pop(name).close()

    def tick() -> None:
        while not ended.wait(TICK):
            with lock:
                for bar in shown.values():
                    bar.refresh()

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield report
    finally:
        ended.set()
        ticking.join()
        for bar in shown.values():
            bar.close()
