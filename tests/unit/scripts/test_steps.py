"""Setting up: each step once, and again only when it has to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack import paths
from stack.setup import steps


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, with one thing in it to make something of."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "STAMPS", tmp_path / ".throughline" / "made")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "in").write_text("one")
    return tmp_path


class Interrupted(BaseException):
    """A Ctrl-C, a broken download, anything."""


def make(checkout: Path, said: tuple[str, ...] = (), fail: bool = False) -> bool:
    """Make `out` of what is in `source`, if that has to be done; returns whether it had to."""
    product = checkout / "out"
    with steps.step_needed("out", steps.files_in("source"), said, product) as needed:
        if needed:
            product.write_text("half")
            if fail:
                raise Interrupted
            product.write_text("whole")
    return needed


def test_a_step_is_done_once(checkout: Path) -> None:
    """A second start does no set-up work again."""
    assert [make(checkout), make(checkout), make(checkout)] == [True, False, False]


def test_a_changed_input_has_the_step_done_again(checkout: Path) -> None:
    """Once, until the next change."""
    make(checkout)
    (checkout / "source" / "in").write_text("two")
    assert [make(checkout), make(checkout)] == [True, False]


def test_a_file_that_is_only_touched_changes_nothing(checkout: Path) -> None:
    """A fresh checkout of the same commit has other times and the same content."""
    make(checkout)
    (checkout / "source" / "in").touch()
    (checkout / "source" / "in").write_text("one")
    assert not make(checkout)


@pytest.mark.parametrize("change", ["added", "renamed", "removed"])
def test_a_change_of_the_set_of_inputs_counts(checkout: Path, change: str) -> None:
    """Not only what is in the files, also which there are."""
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
def test_what_was_made_there_is_no_input(checkout: Path, folder: str) -> None:
    """Otherwise a build would be its own reason to be done again."""
    make(checkout)
    (checkout / "source" / folder).mkdir()
    (checkout / "source" / folder / "made").touch()
    assert not make(checkout)


def test_another_version_of_a_tool_has_the_step_done_again(checkout: Path) -> None:
    """What a step is made with counts like what it is made of."""
    assert make(checkout, ("uv 1", "python 3.11"))
    assert not make(checkout, ("uv 1", "python 3.11"))
    assert make(checkout, ("uv 2", "python 3.11"))


def test_a_product_that_is_gone_is_made_again(checkout: Path) -> None:
    """Somebody deleted it; the stamp alone is no product."""
    make(checkout)
    (checkout / "out").unlink()
    assert make(checkout)


def test_an_interrupted_step_is_done_again(checkout: Path) -> None:
    """Its half-made product is there, but nothing says that it is whole."""
    with pytest.raises(Interrupted):
        make(checkout, fail=True)
    assert (checkout / "out").read_text() == "half"
    assert make(checkout)
    assert (checkout / "out").read_text() == "whole"


def test_a_step_that_is_interrupted_when_done_again_is_not_taken_for_the_old_one(
    checkout: Path,
) -> None:
    """Even when its input then goes back to what it was when the step last succeeded."""
    make(checkout)
    (checkout / "source" / "in").write_text("two")
    with pytest.raises(Interrupted):
        make(checkout, fail=True)
    (checkout / "source" / "in").write_text("one")
    assert make(checkout)


def test_a_stamp_cut_short_counts_for_nothing(checkout: Path) -> None:
    """The power went while it was written."""
    make(checkout)
    stamp = steps.STAMPS / "out"
    stamp.write_text(stamp.read_text()[:10])
    assert make(checkout)
