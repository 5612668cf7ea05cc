"""What all tests share. A test that was skipped has shown nothing: the session fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter

NOT_RUN = ("skipped", "xfailed", "xpassed")


def pytest_configure() -> None:
    """Hear what a job in the background is started without: programs inherit it, and tests end them by signals."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Turn a session in which tests were skipped into a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    not_run = isinstance(reporter, TerminalReporter) and any(reporter.stats.get(outcome) for outcome in NOT_RUN)
    if not_run and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say why a session without failures fails."""
    count = sum(len(terminalreporter.stats.get(outcome, ())) for outcome in NOT_RUN)
    if count:
        terminalreporter.write_line(
            f"{count} tests were skipped or expected to fail; each counts as a failure", red=True
        )
