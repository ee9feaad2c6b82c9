from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from hydrostruct.errors import InputError
from hydrostruct.files import write_whole


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_text_and_bytes_are_written_as_they_stand(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "a.txt", "2θ\n").read_bytes() == "2θ\n".encode()
    assert write_whole(tmp_path / "b.bin", b"\x00\r\n").read_bytes() == b"\x00\r\n"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "x" / "y" / "a.txt", "1").read_text() == "1"


def test_an_older_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "old and longer")
    write_whole(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_the_file_has_the_rights_of_a_plain_one(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("1")
    ours = write_whole(tmp_path / "ours", "1")
    assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_full_disk_leaves_the_older_file_and_no_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(InputError, match=r"a\.txt: cannot be written \(No space left on device\)\. Make room"):
        write_whole(target, "new" * 1000)
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_kill_leaves_no_leftovers_and_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.txt", "new")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1")
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "x" / "a.txt", "1")


def test_a_target_that_is_a_folder_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "x", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
