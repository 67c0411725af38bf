"""Files and folders appear whole or not at all."""

import errno
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from spacy_lstm_tagger.distil.shards import ShardFolder
from spacy_lstm_tagger.files import whole
from spacy_lstm_tagger.files.outputs import Output
from spacy_lstm_tagger.files.whole import (
    alone,
    check_place,
    is_within,
    named,
    whole_folder,
    write_whole,
)

from ..processes import on_posix


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder, text):
    (folder / "part").mkdir()
    (folder / "part" / "model").write_text(text)
    (folder / "config").write_text(text)


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file(tmp_path, monkeypatch, before):
    path = tmp_path / "file"
    if before:
        path.write_text(before)
    with monkeypatch.context() as patch:
        patch.setattr(whole.os, "fsync", lambda descriptor: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_whole(path, b"new")
        patch.setattr(whole.os, "fsync", full_disk)
        with pytest.raises(OSError, match=f"No space left.*{path}"):
            write_whole(path, b"new")
    assert tree(tmp_path) == ({"file": before} if before else {})
    write_whole(path, b"new")
    assert tree(tmp_path) == {"file": "new"}


def full_disk(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder(tmp_path):
    with whole_folder(tmp_path / "a" / "model") as folder:
        write(folder, "new")
        assert not (tmp_path / "a" / "model").exists()
    assert tree(tmp_path) == {"a/model/config": "new", "a/model/part/model": "new"}


def test_a_folder_that_is_there(tmp_path, monkeypatch):
    """What it had is replaced, and what else is in it stays."""
    path = tmp_path / "model"
    path.mkdir()
    write(path, "old")
    (path / "part" / "gone").write_text("old")
    (path / "notes").write_text("mine")
    monkeypatch.chdir(path)
    with whole_folder(path.relative_to(path)) as folder:
        write(folder, "new")
        assert (path / "config").read_text() == "old"
    assert tree(tmp_path) == {
        "model/config": "new",
        "model/part/model": "new",
        "model/notes": "mine",
    }


@pytest.mark.parametrize("before", [None, "old"])
def test_a_folder_that_cannot_be_written(tmp_path, before):
    path = tmp_path / "model"
    if before:
        path.mkdir()
        write(path, before)
    seen = tree(tmp_path)
    with pytest.raises(OSError, match=r"No space.*model"), whole_folder(path) as folder:
        write(folder, "new")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert tree(tmp_path) == seen
    assert [entry.name for entry in tmp_path.iterdir()] == (["model"] if before else [])


def test_what_a_killed_run_has_left_goes(tmp_path):
    (tmp_path / ".model.tmp").mkdir()
    write(tmp_path / ".model.tmp", "half")
    with whole_folder(tmp_path / "model") as folder:
        (folder / "config").write_text("new")
    assert tree(tmp_path) == {"model/config": "new"}


@on_posix
def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with whole_folder(tmp_path / "link") as folder:
        (folder / "config").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert tree(tmp_path / "real") == {"config": "new"}


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "model").write_text("mine")
    with pytest.raises(NotADirectoryError, match="model"), whole_folder(tmp_path / "model"):
        pass
    assert tree(tmp_path) == {"model": "mine"}


@pytest.mark.parametrize("killed", [False, True])
def test_interrupted_between_two_files(tmp_path, monkeypatch, killed):
    """What was there is there again, at the latest when the next run begins."""
    path = tmp_path / "model"
    path.mkdir()
    write(path, "old")
    rename, done = whole.Path.rename, []

    def interrupted(self, target):
        done.append(target)
        if len(done) == 4:  # when the second entry is to take its place
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(whole.Path, "rename", interrupted)
        if killed:
            patch.setattr(whole, "_put_back", lambda *paths: None)
            patch.setattr(whole.shutil, "rmtree", lambda *paths, **options: None)
        with pytest.raises(KeyboardInterrupt), whole_folder(path) as folder:
            write(folder, "new")
    if killed:
        with pytest.raises(OSError, match="No space"), whole_folder(path):
            raise OSError("No space left on device")
    assert tree(tmp_path) == {"model/config": "old", "model/part/model": "old"}


def test_a_file_in_a_folder_that_is_not_there(tmp_path):
    write_whole(tmp_path / "a" / "b" / "file", b"new")
    assert tree(tmp_path) == {"a/b/file": "new"}


@on_posix
def test_who_may_read_a_file_stays(tmp_path):
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o600)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o600


@on_posix
def test_a_file_system_that_sets_no_modes(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.chmod", refuse)
    for text in (b"old", b"new"):
        write_whole(tmp_path / "file", text)
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="open files have no names")
def test_what_is_open_is_written_to(tmp_path):
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(b"before ")
        write_whole(Path(f"/dev/fd/{file.fileno()}"), b"new")
        file.write(b" after")
    assert (tmp_path / "file").read_bytes() == b"before new after"


def test_a_place_is_made_or_refused_before_the_work(tmp_path, monkeypatch):
    check_place(tmp_path / "a" / "b" / "file")
    assert (tmp_path / "a" / "b").is_dir() and not (tmp_path / "a" / "b" / "file").exists()

    def fail(*place, **options):
        raise PermissionError(errno.EACCES, "denied", "a temporary name")

    monkeypatch.setattr(whole.Path, "touch", fail)
    with pytest.raises(PermissionError, match=r"denied.*a/b/file"):
        check_place(tmp_path / "a" / "b" / "file")


def test_an_error_keeps_the_name_that_it_has():
    error = FileNotFoundError(errno.ENOENT, "gone", "other")
    assert named(error, Path("file")).filename == "other"
    error = OSError("no number")
    assert named(error, Path("file")) is error


@on_posix
@pytest.mark.parametrize("write", [whole_folder, lambda path: alone(path, path)])
def test_two_at_one_place(tmp_path, write):
    """The second one is told, and disturbs neither the first one nor who comes later."""
    path = tmp_path / "a" / "model"
    path.parent.mkdir()
    with write(path):
        with pytest.raises(BlockingIOError, match=rf"C028.*{path} is being written"), write(path):
            pass
        with pytest.raises(BlockingIOError, match="C028"), write(path):
            pass
    with write(path):
        pass


@on_posix
def test_a_file_that_somebody_writes(tmp_path):
    path = tmp_path / "out.jsonl"
    first = Output(path, ".jsonl")
    first.write(b"first\n")
    for write in (lambda: Output(path, ".jsonl"), lambda: write_whole(path, b"second")):
        with pytest.raises(BlockingIOError, match=rf"C028.*{path}"):
            write()
    first.write(b"first\n")
    first.complete()
    assert path.read_text() == "first\nfirst\n"
    second = Output(path, ".jsonl")
    second.write(b"second\n")
    assert second.break_off() == tmp_path / "out.incomplete.jsonl"
    write_whole(path, b"third")
    assert tree(tmp_path) == {"out.incomplete.jsonl": "second\n", "out.jsonl": "third"}


@on_posix
def test_a_place_whose_file_gets_its_name_meanwhile(tmp_path, monkeypatch):
    """Between opening and locking: what has its name must not be written again."""
    temporary, path = tmp_path / ".file.tmp", tmp_path / "file"
    temporary.write_text("whole")
    lock = whole.fcntl.flock

    def rename_first(descriptor, operation):
        if not path.exists():
            temporary.replace(path)
        lock(descriptor, operation)

    monkeypatch.setattr(whole.fcntl, "flock", rename_first)
    with alone(temporary, path):
        temporary.write_text("new")
    assert tree(tmp_path) == {".file.tmp": "new", "file": "whole"}


def test_a_folder_that_is_a_file_system(monkeypatch, tmp_path):
    """As a container's volume is: nothing can be renamed into it."""
    path = tmp_path / "volume"
    path.mkdir()
    rename = type(path).rename

    def across(self, target):
        if (path in self.parents) != (path in target.parents):
            raise OSError(18, "Invalid cross-device link", str(self))
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", across)
    with whole_folder(path) as folder:
        (folder / "config").write_text("new")
    assert [each.name for each in path.iterdir()] == ["config"]


def test_a_folder_that_refuses_files_on_windows(monkeypatch, tmp_path):
    """`tempfile` takes each refusal there for a name that is taken, and tries two billion of them."""

    def refuse(place, *arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", str(place))

    windows = SimpleNamespace(**{**vars(os), "name": "nt", "O_TEMPORARY": 0, "open": refuse})
    monkeypatch.setattr(tempfile, "_os", windows)
    monkeypatch.setattr(tempfile, "TMP_MAX", 3)
    monkeypatch.setattr(tempfile, "TemporaryFile", tempfile.NamedTemporaryFile)
    monkeypatch.setattr(Path, "touch", refuse)
    for check in (check_place, lambda path: ShardFolder(path.parent, {})):
        with pytest.raises(PermissionError):
            check(tmp_path / "a.json")


@on_posix
def test_many_files_are_not_too_many_open_files(tmp_path):
    """A folder may have more shards than a process may have open files."""
    before = os.listdir("/dev/fd")
    for i in range(9):
        write_whole(tmp_path / f"{i}", b"x")
    assert len(os.listdir("/dev/fd")) == len(before)


def test_a_file_that_windows_would_not_replace(monkeypatch, tmp_path):
    path, opened = tmp_path / "figures.json", Path.open
    path.write_text("old")

    def refuse(self, mode="r", **kwargs):
        if self == path and "+" in mode:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, mode, **kwargs)

    monkeypatch.setattr(whole, "fcntl", None)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError, match=r"figures\.json"):
        check_place(path)
    assert tree(tmp_path) == {"figures.json": "old"}


def test_an_error_names_the_file_that_cannot_be_replaced(monkeypatch, tmp_path):
    def refuse(self, target):
        raise PermissionError(errno.EACCES, "Access is denied", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError, match=r"/figures\.json'$"):
        write_whole(tmp_path / "figures.json", b"new")


def test_a_folder_by_another_name_of_it(monkeypatch, tmp_path):
    """As `Texts` and `texts` on a Mac, where a path keeps the letters that were typed."""
    for name in ("texts", "Texts"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(whole, "identity", lambda path: str(path).lower())
    assert is_within(tmp_path / "Texts" / "a", tmp_path / "texts")
    assert not is_within(tmp_path / "Texts", tmp_path / "texts")
    assert not is_within(tmp_path / "a", tmp_path / "missing")
