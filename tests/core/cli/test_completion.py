"""Completion scripts and the man page: they are valid, and know every command, option and table that the parsers do."""

import re
import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from oopscope.cli import COMMANDS, Command, every, examples, joined, parsed, parser_of, run, top_parser
from oopscope.cli.completion import KINDS, script
from oopscope.cli.demo import demos
from oopscope.cli.spec import specs
from oopscope.commands.command import Say
from oopscope.subsystems import TABLES

NAMES = [c.name for c in every()]


def shell(name: str, *args: str, text: str = "") -> CompletedProcess[str]:
    if shutil.which(name) is None:
        pytest.skip(f"no {name} here")
    return subprocess.run([name, *args], input=text, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_printed(kind: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["completion", kind]) == 0
    assert capfdbinary.readouterr().out == script(kind).encode()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_scripts_are_valid(name: str) -> None:
    done = shell(name, "-n", text=script(name))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_out(kind: str) -> None:
    text = script(kind).replace("\\-", "-")
    for spec in specs():
        assert spec.name in text
        for option in spec.options:
            for name in option.names:
                shown = {"fish": rf"-[ls] {name.lstrip('-')}", "man": rf"\\fB{name}"}.get(kind, rf"(?<![\w-]){name}")
                assert re.search(rf"{shown}(?![\w-])", text), name
    for key, _ in TABLES:
        assert re.search(rf"\b{key}\b", text), key


def bash(*words: str, cwd: Path | None = None) -> list[str]:
    """What bash would offer for the last of some words."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    quoted = " ".join(f"'{w}'" for w in words)
    ask = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _oopscope; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    text = script("bash") + "compopt() { [[ $2 != default ]]; }\n" + ask
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, timeout=60, check=True, cwd=cwd)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_offers_commands_options_and_words(tmp_path: Path) -> None:
    (tmp_path / "vmcore").touch()
    (tmp_path / "reports").touch()
    offer = lambda *words: bash("oopscope", *words, cwd=tmp_path)  # noqa: E731 - the folder is the same throughout
    assert set(offer("")) == {*NAMES, "vmcore", "reports"}
    assert offer("rep") == ["report", "reports"]
    assert offer("--ver") == ["--version"]
    assert set(offer("show", "")) == {key for key, _ in TABLES}
    assert offer("show", "ta") == ["tasks"]
    assert set(offer("show", "--format", "csv", "")) == {key for key, _ in TABLES}
    assert set(offer("show", "tasks", "")) == {"vmcore", "reports"}
    assert offer("show", "tasks", "--format", "") == ["text", "csv", "json", "jsonl", "markdown", "html"]
    assert offer("report", "--format", "h") == ["html"]
    assert offer("report", "--format", "=", "m") == ["markdown"]
    assert offer("report", "--format", "=") == ["text", "json", "markdown", "html"]
    assert offer("report", "--st") == ["--stacks"]
    assert offer("report", "vmcore", "-o", "vm") == ["vmcore"]
    assert offer("log", "--time", "") == ["boot", "utc", "delta"]
    assert offer("log", "--grep", "") == []
    assert offer("completion", "") == list(KINDS)
    assert offer("demo", "") == list(demos())
    assert "mono" in offer("--theme", "")
    assert set(offer("--theme", "mono", "")) == {"vmcore", "reports"}
    assert offer("vmcore", "rep") == ["reports"]
    assert set(offer("distill", "vmcore", "")) == {"vmcore", "reports"}


def test_fish_offers_them_too() -> None:
    def offer(line: str) -> Any:
        done = shell("fish", "--no-config", "-c", f"{script('fish')}\ncomplete -C {line!r}")
        return {entry.partition("\t")[0] for entry in done.stdout.splitlines()}

    assert set(NAMES) <= offer("oopscope ")
    assert "tasks" in offer("oopscope show ")
    assert offer("oopscope report --format ") == {"text", "json", "markdown", "html"}
    assert "--stacks" in offer("oopscope report --s")
    assert offer("oopscope completion ") == set(KINDS)
    assert offer("oopscope demo ") == {"null-pointer"}


def test_zsh_takes_the_script_with_its_completion_system() -> None:
    if shutil.which("zsh") is None:
        pytest.skip("no zsh here")
    text = f"autoload -Uz compinit && compinit -u -D\n{script('zsh')}\nprint $_comps[oopscope]"
    done = shell("zsh", "-f", text=text)
    assert (done.stdout, done.stderr) == ("_oopscope\n", "")


def test_the_man_page_is_clean_and_names_what_there_is() -> None:
    text = script("man")
    assert text.startswith('.TH OOPSCOPE 1 "" "oopscope ')
    plain = text.replace("\\-", "-")
    for name in NAMES:
        assert f".SS oopscope {name}\n" in plain
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"):
        assert f"\n.SH {heading}\n" in text
    assert not [line for line in plain.splitlines() if "   " in line]  # nothing that man cannot fold
    if shutil.which("mandoc"):
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning"], input=text, capture_output=True, text=True, check=False
        )
        assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


@pytest.mark.parametrize("command", every(), ids=NAMES)
def test_every_command_has_examples_that_its_parser_takes(command: Command) -> None:
    found = examples.examples_of(command.name)
    assert (2 if command in COMMANDS else 0) <= len(found) <= 4
    text = parser_of(command).format_help()
    assert ("examples:" in text) == bool(found)
    assert max(map(len, text.splitlines())) <= 120
    for line, what in found:
        assert line in text
        assert what in text
        if line.startswith("oopscope ") and not set(line) & set("|>"):
            words = line.replace("'", "").split()
            assert words[1] == command.name
            assert not isinstance(parsed(command, joined(words[2:])), Say)


def test_help_of_the_program_lists_every_command() -> None:
    text = top_parser().format_help()
    for command in COMMANDS:
        assert re.search(rf"^  {command.name} +{re.escape(command.help)}$", text, re.M)
