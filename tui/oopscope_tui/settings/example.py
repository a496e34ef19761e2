"""A settings file to begin with: every setting and every key with its name, all of it commented out."""

from pathlib import Path

from oopscope_tui.look import palette
from oopscope_tui.settings.keymap import written
from oopscope_tui.settings.keys import TABLES
from oopscope_tui.settings.settings import TIMES


def example() -> str:
    """Return the text of the file."""
    lines = [
        "# Settings of oopscope. What stands here are the defaults: take the # away from what you change.",
        "",
        f'#theme = "{palette.DEFAULT}"  # {", ".join(palette.NAMES)}',
        f'#time = "{TIMES[0]}"  # of the log: {", ".join(TIMES)}',
        '#known = ""  # a file of known bugs, of which those that match a dump are shown',
        "",
        "# A key or a list of keys for an action: a letter, a sign, or a name such as F5, Ctrl-T, PgDn, Space.",
        "[keys]",
    ]
    told: set[str] = set()
    for where, table in TABLES.items():
        lines.append(f"# {where}")
        for key in table:
            if key.name and key.name not in told:
                told.add(key.name)
                names = ", ".join(_quoted(written(one)) for one in key.keys.split(","))
                lines.append(f"#{key.name} = [{names}]  # {key.help}")
    lines += ["", "# The columns of a pane's table, in their order.", "[columns]"]
    lines += ['#tasks = ["pid", "state", "comm", "wait"]', '#mounts = ["target", "source", "fstype"]']
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    return f"'{word}'"  # no name of a key has a '


def write_example(path: Path | None) -> tuple[str, bool]:
    """Write the file where there is none; return what to say, and whether it failed."""
    if path is None:
        return "OOPSCOPE_CONFIG is off: there are no settings", True
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError:
        return f"settings: {short(path)}", False
    except OSError as error:
        return f"settings: {error.strerror}: {short(path)}", True
    return f"written, to be edited: {short(path)}", False


def short(path: Path) -> str:
    """Return a path with ~ for the user's own folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
