"""Decisions of one run over those of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib import config as configuration
from audit_lib.errors import ConfigError, UsageError
from audit_lib.runs import policy


def test_none_leaves_the_configuration_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    for given in (None, own):
        with policy.decided(tmp_path, given, " ") as path:
            assert path == given


def test_what_is_decided_goes_over_what_is_configured_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "ctxaudit.toml").write_text(
        'exclude = ["a\\"b/**", "ü/**"]\n[phases]\n"o d" = ["x/**"]\n[policy]\nworkers = "keep"\nmax_radius = 7\n'
        '[go]\ntags = ["it"]\n',
        encoding="utf-8",
    )
    before = configuration.load(tmp_path)
    with policy.decided(tmp_path, None, "exported: variant, max_radius: 9") as path:
        assert path is not None
        after = configuration.load(tmp_path, path)
    assert not path.exists()
    assert (after.policy.exported, after.policy.max_radius, after.policy.workers) == ("variant", 9, "keep")
    assert (after.exclude, after.phases, after.go) == (before.exclude, before.phases, before.go)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("variant", "policy 'variant' is none; write `key: value`, with a key of workers, exported"),
        ("exports: variant", "policy 'exports: variant' is none"),
        ("exported: maybe", "policy: .*maybe.*see docs/configuration.md"),
        ("max_radius: many", "policy: .*max_radius.*"),
        ("max_radius: -1", "policy: "),
    ],
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        policy.check(text)
    with pytest.raises(UsageError, match=words), policy.decided(tmp_path, None, text):
        pass


def test_a_broken_configuration_is_told_of_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "ctxaudit.toml").write_text("[policy]\nworker = 1\n")
    with pytest.raises(ConfigError, match=r"ctxaudit\.toml: "), policy.decided(tmp_path, None, "exported: variant"):
        pass
