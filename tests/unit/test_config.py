"""ctxaudit.toml: what it may say, and what is refused."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from audit_lib.config import Config, GoOptions, Policy, as_builtins, load
from audit_lib.errors import ConfigError
from audit_lib.globs import matches

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def written(folder: Path, text: str) -> Path:
    (folder / "ctxaudit.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path) == Config()


def test_a_key_that_is_not_there_keeps_its_default(tmp_path: Path) -> None:
    config = load(written(tmp_path, '[policy]\nworkers = "keep"\n'))
    assert config.policy == Policy(workers="keep")
    assert config.phases == Config().phases


def test_a_named_file_is_read_in_place_of_the_targets(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[go]\ntags = ["integration"]\n')
    assert load(written(tmp_path, "exclude = ['x']"), other) == Config(go=GoOptions(tags=("integration",)))


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    assert load(written(tmp_path, "\ufeffexclude = ['gen/**']\n")).exclude == ("gen/**",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exclud = []", "unknown key `exclud`"),
        ("[policy]\nworker = 'fix'", "unknown key `worker` - at `policy`"),
        ("exclude = 'gen'", "Expected `array`, got `str` - at `exclude`"),
        ("[policy]\nworkers = 'perhaps'", "Invalid enum value 'perhaps' - at `policy.workers`"),
        ("[policy]\ntests = 'maybe'", "Invalid enum value 'maybe' - at `policy.tests`"),
        ("[policy]\nmax_radius = 'far'", "Expected `int`, got `str` - at `policy.max_radius`"),
        ("[policy]\nmax_radius = -1", "Expected `int` >= 0 - at `policy.max_radius`"),
        ("[phases]\napi = 'api/**'", "Expected `array`, got `str` - at `phases[...]`"),
        ("exclude = [", "not valid TOML"),
        ("exclude = ['./gen/**']", "the pattern './gen/**' matches no file"),
        ("[phases]\napi = ['']", "the pattern '' matches no file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_the_file_and_the_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text))
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'ctxaudit.toml'}: ")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"exclude = ['\xff']", b"\x00"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ctxaudit.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read \(No such file"):
        load(tmp_path, tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("file", "pattern", "expected"),
    [
        ("api/user.go", "api/**", True),
        ("api/v1/user.go", "api/**", True),
        ("pkg/api/user.go", "api/**", False),
        ("pkg/api/user.go", "**/api/**", True),
        ("api/user.go", "**/api/**", True),
        ("apis/user.go", "**/api/**", False),
        ("api.go", "*.go", True),
        ("pkg/api.go", "*.go", False),
        ("pkg/api.go", "**/*.go", True),
        ("API/user.go", "api/**", False),
        ("a/b/c/d/e.go", "**/c/**/*.go", True),
    ],
)
def test_patterns(file: str, pattern: str, expected: bool) -> None:
    assert matches(file, pattern) is expected


def test_the_first_phase_that_matches_wins_and_the_rest_is_core(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[phases]\nfirst = ['a/**']\nsecond = ['**/b/**']\n"))
    assert [config.phase_of(file) for file in ("a/b/x.go", "c/b/x.go", "c/x.go")] == ["first", "second", "core"]


def test_a_configuration_is_recorded_as_it_was_read(tmp_path: Path) -> None:
    config = load(written(tmp_path, "exclude = ['gen/**']\n[policy]\nmax_radius = 7\n"))
    assert msgspec.convert(as_builtins(config), type=Config) == config


def test_the_documented_example_is_the_default() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert msgspec.convert(tomllib.loads(example), type=Config) == Config()


@pytest.mark.parametrize("record", [Config, Policy, GoOptions])
def test_every_key_is_documented(record: type[msgspec.Struct]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    for field in msgspec.structs.fields(record):
        assert f"`{field.name}`" in text, f"{record.__name__}.{field.name}"
