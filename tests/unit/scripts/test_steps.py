"""Tests that steps of the set-up run only if their inputs have changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack import paths
from stack.setup import steps


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one input file."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "STAMPS", tmp_path / ".throughline" / "made")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "in").write_text("one")
    return tmp_path


class Interrupted(BaseException):
    """An interruption of a step, such as Ctrl-C."""


def make(checkout: Path, settings: tuple[str, ...] = (), fail: bool = False) -> bool:
    """Run a step that makes `out` from `source` if needed; return whether it was needed."""
    product = checkout / "out"
    with steps.step_needed("out", steps.files_in("source"), settings, product) as needed:
        if needed:
            product.write_text("half")
            if fail:
                raise Interrupted
            product.write_text("whole")
    return needed


def test_a_step_runs_once(checkout: Path) -> None:
    assert [make(checkout), make(checkout), make(checkout)] == [True, False, False]


def test_a_step_runs_again_once_if_its_input_changes(checkout: Path) -> None:
    make(checkout)
    (checkout / "source" / "in").write_text("two")
    assert [make(checkout), make(checkout)] == [True, False]


def test_a_new_modification_time_alone_is_not_a_change(checkout: Path) -> None:
    """A new checkout of the same commit has other times and the same content."""
    make(checkout)
    (checkout / "source" / "in").touch()
    (checkout / "source" / "in").write_text("one")
    assert not make(checkout)


@pytest.mark.parametrize("change", ["added", "renamed", "removed"])
def test_a_step_runs_again_if_a_file_is_added_renamed_or_removed(
    checkout: Path, change: str
) -> None:
    (checkout / "source" / "more").write_text("more")
    make(checkout)
    match change:
        case "added":
            (checkout / "source" / "deep").mkdir()
            (checkout / "source" / "deep" / "new").touch()
        case "renamed":
            (checkout / "source" / "more").rename(checkout / "source" / "other")
        case "removed":
            (checkout / "source" / "more").unlink()
    assert [make(checkout), make(checkout)] == [True, False]


@pytest.mark.parametrize("folder", ["node_modules", "dist"])
def test_generated_files_are_not_inputs(checkout: Path, folder: str) -> None:
    """Otherwise a build would cause the next one."""
    make(checkout)
    (checkout / "source" / folder).mkdir()
    (checkout / "source" / folder / "made").touch()
    assert not make(checkout)


def test_a_step_runs_again_with_another_version_of_a_tool(checkout: Path) -> None:
    assert make(checkout, ("uv 1", "python 3.11"))
    assert not make(checkout, ("uv 1", "python 3.11"))
    assert make(checkout, ("uv 2", "python 3.11"))


def test_a_step_runs_again_if_its_product_was_deleted(checkout: Path) -> None:
    make(checkout)
    (checkout / "out").unlink()
    assert make(checkout)


def test_an_interrupted_step_runs_again(checkout: Path) -> None:
    """Its product exists, but it has no stamp."""
    with pytest.raises(Interrupted):
        make(checkout, fail=True)
    assert (checkout / "out").read_text() == "half"
    assert make(checkout)
    assert (checkout / "out").read_text() == "whole"


def test_an_interrupted_second_run_removes_the_stamp_of_the_first(checkout: Path) -> None:
    """The step therefore runs again even if its input is restored."""
    make(checkout)
    (checkout / "source" / "in").write_text("two")
    with pytest.raises(Interrupted):
        make(checkout, fail=True)
    (checkout / "source" / "in").write_text("one")
    assert make(checkout)


def test_a_truncated_stamp_is_ignored(checkout: Path) -> None:
    make(checkout)
    stamp = steps.STAMPS / "out"
    stamp.write_text(stamp.read_text()[:10])
    assert make(checkout)
