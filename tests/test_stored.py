"""Dumps that are stored as differences are put together as they were, and nothing else passes for them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

import stored
from stored import DUMPS, STORE, head_of, put_together

PATCHES = sorted(STORE.glob("*.patch"))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_each_is_what_was_stored(patch: Any) -> None:
    whole = (DUMPS / f"{patch.stem}.kdump").read_bytes()
    head = head_of(patch)
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (head.size, head.sha256)
    assert patch.stat().st_size < stored.WORTH * head.size


def test_a_base_that_changed_is_told(tmp_path: Path) -> None:
    patch = tmp_path / PATCHES[0].name
    patch.write_bytes(PATCHES[0].read_bytes())
    base = bytearray((STORE / f"{head_of(patch).base}.kdump").read_bytes())
    base[len(base) // 2 :: 4096] = bytes(len(base[len(base) // 2 :: 4096]))
    (tmp_path / f"{head_of(patch).base}.kdump").write_bytes(base)
    with pytest.raises(ValueError, match="store it again"):
        put_together(patch, tmp_path)


def test_a_dump_is_stored_and_comes_back(tmp_path: Path) -> None:
    store, cache = tmp_path / "store", tmp_path / "cache"
    store.mkdir()
    base = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(4000))
    assert stored.add(base, "9.9-base", store).suffix == ".kdump"
    other = b"other" + base[:60_000] + b"death" + base[60_000:]
    assert stored.add(other, "9.9-other", store).stat().st_size < 400
    assert stored.add(other[::-1], "9.9-strange", store).suffix == ".kdump"
    (store / "9.9-other.truth").write_text("said")
    stored.whole(store, cache)
    assert (cache / "9.9-other.kdump").read_bytes() == other
    assert (cache / "9.9-base.kdump").read_bytes() == base
    assert (cache / "9.9-other.truth").read_text() == "said"
    stored.add(other + b"more", "9.9-other", store)
    (store / "9.9-strange.kdump").unlink()
    stored.whole(store, cache)
    assert (cache / "9.9-other.kdump").read_bytes() == other + b"more"
    assert not (cache / "9.9-strange.kdump").exists()
    with pytest.raises(ValueError, match="are differences"):
        stored.add(base + b"more", "9.9-base", store)


def test_a_base_may_be_a_difference_itself(tmp_path: Path) -> None:
    first = b"".join(hashlib.sha256(n.to_bytes(2, "big")).digest() for n in range(4000))
    stored.add(first, "9.9-first", tmp_path)
    second = first[:50_000] + b"second" + first[50_000:]
    third = second[:90_000] + b"third" + second[90_000:]
    stored.add(second, "9.9-second", tmp_path)
    assert head_of(stored.add(third, "9.9-third", tmp_path, base="9.9-second")).base == "9.9-second"
    assert put_together(tmp_path / "9.9-third.patch", tmp_path) == third
    with pytest.raises(ValueError, match="are differences"):
        stored.add(third, "9.9-second", tmp_path)


def test_whoever_dies_while_putting_together_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "put_together", lambda patch, store: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stored.whole(STORE, tmp_path)
    assert not any((tmp_path / f"{patch.stem}.kdump").exists() for patch in PATCHES)
