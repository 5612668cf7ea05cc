"""What a target's lines say of how its mocks were made: understood to the last word, or not at all."""

from __future__ import annotations

import pytest

from audit_lib.change.recipes import LINE_LIMIT, Recipe, Recipes

MOCKGEN = "mockgen -source=store.go -destination=mocks/store.go"


def recipes_of(mock: str, files: dict[str, str]) -> tuple[Recipe, ...]:
    return Recipes(files).of(mock)


def commands(line: str, mock: str = "shop/mocks/store.go", file: str = "shop/store.go") -> list[tuple[str, str, str]]:
    """Folder, command and what `go run` is given, of the recipes for a mock by one `go:generate` line."""
    found = recipes_of(mock, {file: f"package shop\n\n//go:generate {line}\n"})
    return [(recipe.folder, recipe.command, recipe.source) for recipe in found]


@pytest.mark.parametrize(
    "line",
    [
        "stringer -type=Kind",  # no generator of mocks
        f"sh -c '{MOCKGEN}'",
        f"./{MOCKGEN}",  # a program of the target
        f"bin/{MOCKGEN}",
        f"env GOFLAGS=-mod=mod {MOCKGEN}",
        f"go run ./tools/{MOCKGEN}",
        f"go run example.org/evil/{MOCKGEN}",
        f"go run -exec=./evil go.uber.org/mock/{MOCKGEN}",
        f"go tool ./{MOCKGEN}",
        f"{MOCKGEN} -exec_only=./evil",  # runs a program
        f"{MOCKGEN} -build_flags=-toolexec=./evil",
        f"{MOCKGEN} -unknown",
        f"{MOCKGEN} --",
        "mockgen -source=store.go -destination=../../mocks/store.go",  # writes outside of the target
        "mockgen -source=store.go -destination=/shop/mocks/store.go",
        "mockgen -source=/etc/passwd -destination=mocks/store.go",
        "mockgen -source=../../store.go -destination=mocks/store.go",
        "mockgen -source=store.go",  # writes no file
        "mockgen -source=store.go -destination=mocks/other.go",  # writes another one
        "mockgen -source=$SOURCE -destination=mocks/store.go",
        "moq -out mocks/store.go ../.. Store",
        "counterfeiter -generate",
        "mockery --all --output mocks",
        "mockery --name Store --config ../evil.yaml --output mocks",
        "mockery --name=(Store|Evil) --output mocks",  # patterns, of which the target says what they match
        "mockery --name .* --output mocks",
        "mockery --name Store --output mocks --filename ../../store.go",
        "mockery --name Store --output mocks --case ../camel",
        "mockery --name Store --output mocks extra",
        "moq -out mocks/store.go . Store:../evil",
        "moq -out mocks/store.go . St*re",
        "moq -out mocks/store.go -fmt=./evil . Store",
        "moq -out mocks/store.go -pkg=../evil . Store",
        "moq -out mocks/store.go .",
        "counterfeiter -o mocks/store.go . Store -",
        "counterfeiter -o mocks/store.go . Store Other",
        "counterfeiter -o mocks/store.go -fake-name=../../Evil . Store",
        "counterfeiter -o mocks/store.go pattern=x.Store",
        "mockgen -destination=mocks/store.go file=/etc/passwd Store",
        "mockgen -destination=mocks/store.go /etc Store",
        "mockgen -destination=mocks/store.go ../.. Store",
        "mockgen -destination=mocks/store.go . Store other",
        f"{MOCKGEN} -package=../evil",
        f"{MOCKGEN} -mock_names=Store=../evil",
        f'{MOCKGEN} "-package=a',  # a quote that is not closed
        f'{MOCKGEN} "-package=a"b',
        f"{MOCKGEN} -package={'a' * LINE_LIMIT}",  # longer than go generate takes
    ],
)
def test_a_line_that_is_not_understood_is_no_recipe(line: str) -> None:
    assert commands(line) == []


@pytest.mark.parametrize(
    ("line", "command", "source"),
    [
        (MOCKGEN, MOCKGEN, ""),
        (
            "mockgen --source $GOFILE --destination mocks/${GOFILE} -package $GOPACKAGE",
            "mockgen --source store.go --destination mocks/store.go -package shop",
            "",
        ),
        (f"go run -mod=mod go.uber.org/mock/{MOCKGEN}", MOCKGEN, "go.uber.org/mock/mockgen"),
        (f"go run go.uber.org/mock/mockgen@v0.6.0{MOCKGEN[7:]}", MOCKGEN, "go.uber.org/mock/mockgen@v0.6.0"),
        (f"go tool {MOCKGEN}", MOCKGEN, "mockgen"),
        ('moq -out "mocks/store.go" . Store', "moq -out mocks/store.go . Store", ""),
        ("counterfeiter -o mocks/store.go . Store", "counterfeiter -o mocks/store.go . Store", ""),
        ("mockery --name Store", "mockery --name Store", ""),
        ("mockgen -destination mocks/store.go . Store,Clock", "mockgen -destination mocks/store.go . Store,Clock", ""),
        ("moq -out mocks/store.go . Store:Fake Clock", "moq -out mocks/store.go . Store:Fake Clock", ""),
        (f"{MOCKGEN}\t -package\t store \r", f"{MOCKGEN} -package store", ""),
    ],
)
def test_a_known_line_is_a_recipe(line: str, command: str, source: str) -> None:
    assert commands(line) == [("shop", command, source)]


def test_a_package_may_be_run_to_look_at_it_where_no_source_is_named() -> None:
    (recipe,) = recipes_of("m.go", {"a.go": "package a\n\n//go:generate mockgen -destination=m.go . Store\n"})
    assert recipe.runs
    (recipe,) = recipes_of("m.go", {"a.go": "package a\n\n//go:generate mockgen -destination=m.go -source=a.go\n"})
    assert not recipe.runs


def test_a_header_tells_from_which_folder_it_may_have_been() -> None:
    header = f"// Code generated by MockGen. DO NOT EDIT.\n//\n// Generated by this command:\n//\n//\t{MOCKGEN}\n//\n"
    recipes = recipes_of("shop/mocks/store.go", {"shop/mocks/store.go": f"{header}package mocks\n"})
    assert [recipe.folder for recipe in recipes] == ["shop"]


def test_fakes_of_a_package_are_made_one_by_one() -> None:
    text = (
        "package shop\n\n//go:generate go run github.com/maxbrunsfeld/counterfeiter/v6 -generate\n"
        "//counterfeiter:generate . OrderStore\n//counterfeiter:generate -o fakes . Clock\n"
    )
    files = {"shop/gen.go": text}
    (recipe,) = recipes_of("shop/shopfakes/fake_order_store.go", files)
    assert recipe.command == "counterfeiter . OrderStore"
    assert recipe.source == "github.com/maxbrunsfeld/counterfeiter/v6"
    assert [one.command for one in recipes_of("shop/fakes/fake_clock.go", files)] == ["counterfeiter -o fakes . Clock"]


def test_what_a_command_names_is_told_as_it_says_it() -> None:
    line = "//go:generate mockgen -source=link/../store.go -destination=mocks/store.go -copyright_file ../header.txt\n"
    (recipe,) = recipes_of("shop/mocks/store.go", {"shop/store.go": line})
    assert recipe.paths == ("shop/../header.txt", "shop/mocks/store.go", "shop/link/../store.go")


def test_a_name_of_a_file_is_not_read_as_a_replacement() -> None:
    files = {"shop/\\1.go": "package shop\n\n//go:generate mockgen -source=$GOFILE -destination=mocks/store.go\n"}
    assert recipes_of("shop/mocks/store.go", files) == ()


@pytest.mark.parametrize("before", ["", "package shop\n\n", "//go:generated\n", "//go:generate\n"])
def test_a_line_is_found_wherever_it_stands(before: str) -> None:
    assert len(recipes_of("mocks/store.go", {"store.go": f"{before}//go:generate {MOCKGEN}"})) == 1


@pytest.mark.parametrize("line", [f" //go:generate {MOCKGEN}", f"//go:generate{MOCKGEN}", f"// go:generate {MOCKGEN}"])
def test_a_line_that_only_looks_like_one_is_none(line: str) -> None:
    assert recipes_of("mocks/store.go", {"store.go": f"package shop\n{line}\n"}) == ()
