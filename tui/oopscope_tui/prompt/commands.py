"""What a `:` line means on the screen: a command of the register as a place or an act, else a pane, a PID, a CPU.

What a command asks for is core's to know (`commands.register`); here is where that stands on the screen. A line that
is nothing of all this is a symbol.
"""

import re
from collections.abc import Sequence

from oopscope.commands.command import CardOf, EachTask, Request, Say, TableOf, as_number, is_address, key_of
from oopscope.commands.register import BY_WORD, HERE
from oopscope_tui.panes import place_of, shown_in
from oopscope_tui.places import Act, Place, Target

Panes = Sequence[tuple[str, str]]  # key and title of each
COMMANDS = HERE
# What a shell makes of a line, which a prompt does not: pipes, files, commands of the shell's own.
PIPE = re.compile(r"\|\s*(grep|egrep|less|more|head|tail|wc|sort|awk|sed|cut|uniq|tee|cat|vi|vim|xargs|column)\b")
FILE = re.compile(r"\s>>?\s*[\w./~-]+$")
TAKE_SIGNS = ("p", "search")  # | and > are theirs
NAME = re.compile(r"[A-Za-z_]\w*(\.[\w.,]+)?")


def target_of(request: Request) -> Target:
    """Return the place or the act that a request comes to on the screen."""
    if isinstance(request, TableOf):
        narrowed = request.where or request.sort
        pane = request.table if narrowed else shown_in(request.table)
        return Place(pane, request.key, request.key is not None, request.where, request.sort)
    if isinstance(request, CardOf):
        key = request.key
        if request.card == "memory" and isinstance(key, str) and key.partition("/")[2].isdigit():
            key = key.partition("/")[0]  # how many words are shown is the screen's to say
        shaped = isinstance(key, str) and request.card in ("struct", "code", "memory") and set(key) & set(",(/")
        if request.otherwise is not None and key is not None:  # which of the two the kernel knows
            return Place("card", f"whatis:{key}")
        place = None if shaped else place_of(request.card, key)
        return place or Place("card", f"{request.card}:{key}" if key is not None else None)
    if isinstance(request, EachTask):
        return Place("card", f"each:{request.where}|{','.join(request.parts)}")
    return Act("say", request.text) if isinstance(request, Say) else Act(request.name, request.argument)


def goes(pane: str, names: Sequence[str]) -> Target:
    """Return a pane, or the row of it that a name says."""
    return Place(pane, key_of(" ".join(names)), True) if names else Place(pane)


def understand(text: str, panes: Panes) -> Target | None:
    """Return what a `:` line means; None for an empty line. What is nothing else is a symbol (`is_guess` tells).

    `tasks`, `mem` (a beginning), `241` or `bt 241` (a PID), `cpu 1` or `c1`, `theme dark`, `lab_read_balance`.
    """
    words = text.split()
    if not words:
        return None
    shell = _of_a_shell(text.strip())
    if shell:
        return Act("say", shell)
    return _known(words, panes) or _struct(words) or Place("symbol", words[0])


def _of_a_shell(text: str) -> str:
    """Return what is said of a line that only a shell understands; an empty text for any other."""
    command = BY_WORD.get(text.split()[0].lower())
    if text[0] in "!<":
        return "a command of the shell's is for the shell: Ctrl-Z goes there, fg comes back"
    if PIPE.search(text) or (" | " in text and (command is None or command.name not in TAKE_SIGNS)):
        return "no pipes here: f narrows what is shown, / searches; at the shell: oopscope COMMAND PATH | grep WORD"
    if FILE.search(text) and (command is None or command.name not in TAKE_SIGNS):
        return "no files here: w writes what is shown; at the shell: oopscope COMMAND PATH > FILE"
    return ""


def _struct(words: list[str]) -> Target | None:
    """Return the struct of `task_struct init_task`, as crash takes it; of other words that there is no such command."""
    if len(words) < 2:
        return None
    like_a_type = NAME.fullmatch(words[0]) and set(words[0]) & {"_", "."}
    if like_a_type or (NAME.fullmatch(words[0]) and (is_address(words[1]) or ":" in words[1])):
        return target_of(BY_WORD["struct"].ask(words))
    return Act("say", f"no command {words[0][:30]}: ? lists those that there are, help COMMAND tells how one is used")


def is_guess(text: str, panes: Panes) -> bool:
    """Return whether a line may want what fits it best: a symbol for want of anything better, the name of a task."""
    words = text.split()
    if not words or as_number(words[-1]) is not None:
        return False
    command = BY_WORD.get(words[0].lower()) if len(words) > 1 else None
    known = _known(words, panes)
    if isinstance(known, Act) and known.name == "say":
        return False  # it is not there: what is like it is no answer
    return known is None or (command is not None and bool(command.takes) and words[-1][0] != "-")


def wants_more(text: str) -> bool:
    """Return whether a line is a command that says nothing without a word after it."""
    words = text.split()
    command = BY_WORD.get(words[0].lower()) if len(words) == 1 else None
    return command is not None and command.needs


def lacking(text: str) -> str:
    """Return what options of a line would add, were it there; an empty text where nothing is lacking."""
    head, *words = text.split() or [""]
    command = BY_WORD.get(head.lower())
    return command.lacks(words) if command is not None else ""


def _known(words: list[str], panes: Panes) -> Target | None:
    head = words[0].lower()
    if re.fullmatch(r"(cpu|c)\d+", head):
        return Place("cpus", int(head.lstrip("cpu")), True)
    number = as_number(head)
    if number is not None:
        return Place("tasks", number, True) if len(words) == 1 and not head.startswith("0x") else None
    command = BY_WORD.get(head)
    if command is not None and not (command.on == "screen" and head in (key for key, _ in panes)):
        return target_of(command.ask(words[1:]))
    pane = _pane(head, panes)
    return goes(pane, words[1:]) if pane is not None else None


def _pane(word: str, panes: Panes) -> str | None:
    if word in (key for key, _ in panes):
        return word
    found = [key for key, title in panes if key.startswith(word) or title.lower().startswith(word)]
    return found[0] if len(found) == 1 or (found and len(word) > 1) else None
