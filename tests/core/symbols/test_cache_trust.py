"""What the index cache holds of one dump is never believed of another, nor what somebody else may have written."""

import shutil
from pathlib import Path

import pytest

from builders.altered import DUMPS
from oopscope.boot.attach import open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.symbols.cache import _load, _store, index_key

NAME = "6.1-null.kdump"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "cache"
    monkeypatch.setenv("OOPSCOPE_CACHE", str(found))
    return found


def opened(path: Path) -> Kernel:
    kernel = open_kernel([path])
    kernel.types.member("task_struct", "pid")
    kernel.symbol("init_task")
    kernel.remember()
    return kernel


def test_another_dump_of_the_same_build_finds_nothing_of_the_first(tmp_path: Path, folder: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copy(DUMPS / NAME, first)
    shutil.copy(DUMPS / NAME, second)
    opened(first)
    assert open_kernel([first])._index.sections  # of the same file again
    assert not open_kernel([second])._index.sections
    with first.open("ab") as file:
        file.write(b"x")
    assert not open_kernel([first])._index.sections  # it is another file now


def test_a_key_needs_both() -> None:
    assert index_key(None, "a") is None and index_key("a", None) is None
    assert len({index_key("a", "b"), index_key("a", "c"), index_key("b", "b")}) == 3


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    path = folder / "a.index"
    _store(path, b"{}")
    assert _load(path) == b"{}"
    folder.chmod(mode)
    assert _load(path) == b""
    _store(folder / "b.index", b"{}")
    assert not (folder / "b.index").exists()
    folder.chmod(0o700)
    path.chmod(0o666)
    assert _load(path) == b""
