"""A redacted dump gives the same report, without the machine's names, its command line and what programs logged."""

from functools import cache
from pathlib import Path

import pytest

from builders.altered import stored
from cases import case_of
from oopscope.boot.attach import open_kernel
from oopscope.distill import kdump_file, redact
from oopscope.distill.recording import distill
from oopscope.dumps import open_path
from oopscope.errors import Unsupported
from oopscope.linux.printk import log
from oopscope.report.build import build

NAME = "6.1-null"
SAME = ("verdict", "cpus", "tasks", "slabs", "modules", "mounts")


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("redacted") / "small.kdump"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kdump_file, "LEVEL", 1)
        distill(open_path(case_of(NAME).path), out, lambda _text: None, hide=True)
    return out


@cache
def memory(path: Path) -> bytes:
    return b"".join(data for _, data in open_path(path).blocks())


def test_the_report_is_the_same(hidden: Path) -> None:
    report, source = build(open_kernel([hidden]), SAME, stacks=True), case_of(NAME).report
    for key in SAME:
        assert report[key] == source[key], key


def test_names_and_programs_words_are_gone(hidden: Path) -> None:
    source = case_of(NAME).kernel
    words = [name.encode() for name in redact.names(source)]
    words += [record.text.encode() for record in log(source) if record.facility and len(record.text) > 8]
    words += [b"sysrq_always_enabled loglevel=7"]
    assert len(words) > 2
    before, after = memory(case_of(NAME).path), memory(hidden)
    for word in words:
        assert word in before and word not in after, word
    assert open_path(hidden).facts().nodename in (None, "(none)")


def test_what_lies_between_slab_objects_is_zero(hidden: Path) -> None:
    small, whole = open_path(hidden), open_path(case_of(NAME).path)
    changed = zeroed = 0
    for address, data in small.blocks():
        source = whole.page(address // 4096)
        if data != source and not any(a and a != b for a, b in zip(data, source, strict=True)):
            changed += 1
            zeroed += sum(1 for a, b in zip(data, source, strict=True) if b and not a)
    assert changed > 20 and zeroed > 1000


def test_program_stacks_cannot_be_redacted(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="leave out --user"):
        distill(stored(f"{NAME}.kdump"), tmp_path / "x", lambda _text: None, user=True, hide=True)
