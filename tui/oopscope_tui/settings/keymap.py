"""Keys as the user changed them: which keys an action has now, how they are written, and what cannot be.

A key that the user gives to an action is taken from whatever had it by default in the same place; of two actions that
the user gives one key, the first keeps it.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, Keys, _character_to_key, format_key

from oopscope_tui.settings.keys import SHARED, TABLES, Key

NO_KEY = "unbound"  # no terminal sends it: for an action that has no key
MODIFIERS = {"ctrl": "ctrl", "c": "ctrl", "control": "ctrl", "alt": "alt", "m": "alt", "meta": "alt", "shift": "shift",
             "s": "shift"}  # fmt: skip
OTHER_NAMES = {"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "bksp":
               "backspace", "pgdn": "pagedown", "page_up": "pageup", "page_down": "pagedown"}  # fmt: skip
ARROWS = {"←": "left", "→": "right", "↑": "up", "↓": "down"}
SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}  # one byte on a terminal
WRITTEN = {"escape": "Esc", "enter": "Enter", "tab": "Tab", "space": "Space", "backspace": "Backspace",
           "pageup": "PgUp", "pagedown": "PgDn", "delete": "Del", "insert": "Ins", "home": "Home",
           "end": "End"}  # fmt: skip


def understood(word: str) -> str | None:
    """Return Textual's name of a key that is written as people do: `?`, `Ctrl-X`, `^X`, `F5`, `page_down`, `slash`."""
    if word in ARROWS:
        return ARROWS[word]
    if len(word) == 1:
        return _character_to_key(word) if word.isprintable() else None
    if len(word) == 2 and word[0] == "^":
        word = f"ctrl+{word[1]}"
    *before, base = [part for part in _parts(word) if part] or [""]
    if any(part.lower() not in MODIFIERS for part in before):
        return None
    modifiers = sorted({MODIFIERS[part.lower()] for part in before})
    if len(base) == 1:
        if modifiers == ["shift"]:
            return _character_to_key(base.upper())
        base = _character_to_key(base.lower())
    else:
        base = OTHER_NAMES.get(base.lower(), base.lower())
        if base not in _names():
            return None
    key = "+".join([*modifiers, base])
    return SAME.get(key, key)


def _parts(word: str) -> list[str]:
    """Cut `Ctrl-Shift-x` and `ctrl++` into modifiers and a key."""
    head, last = word[:-1], word[-1:]
    if last in "+-" and head[-1:] in ("+", "-"):
        return [*head[:-1].replace("-", "+").split("+"), last]
    return word.replace("-", "+").split("+")


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    plain = (key.value for key in Keys if "+" not in key.value)
    return frozenset({*plain, *KEY_TO_UNICODE_NAME, *KEY_NAME_REPLACEMENTS.values(), "space"})


def written(key: str) -> str:
    """Return a key as the screen writes it: `?`, `Ctrl-X`, `PgDn`."""
    *modifiers, base = key.split("+")
    name = WRITTEN.get(base) or format_key(base)
    if (modifiers and len(name) == 1) or (base[:1] == "f" and base[1:].isdigit()):
        name = name.upper()
    return "-".join([*(modifier.capitalize() for modifier in modifiers), name])


class Keymap:
    """Every action's keys, for a choice of some."""

    def __init__(self, chosen: Mapping[str, tuple[str, ...]]) -> None:
        self.changed: dict[str, tuple[str, ...]] = dict(chosen)
        self.trouble: list[tuple[str, str]] = []  # an action, and what is wrong with its keys
        for name in chosen:
            self._settle(name, chosen)

    def _settle(self, name: str, chosen: Mapping[str, tuple[str, ...]]) -> None:
        """Take an action's keys from all that have them too."""
        for key in self.changed[name]:
            for other in _neighbours(name):
                theirs = self.changed.get(other.name, _keys(other))
                if key not in theirs or _as_designed(name, other, key):
                    continue
                left = tuple(one for one in theirs if one != key)
                if other.name in chosen:
                    self.trouble.append((other.name, f"{written(key)} is {name} already, and not {other.name} too"))
                    given = {one for own in chosen.values() for one in own}
                    left = left or tuple(one for one in _keys(other) if one not in given)
                self.changed[other.name] = left
                if not left:
                    self.trouble.append((name, f"{other.name} has no key now: {written(key)} is {name}"))

    def of(self, key: Key) -> Key:
        """Return a line of a table as it is now."""
        own = self.changed.get(key.name) if key.name else None
        if own is None:
            return key
        return key._replace(keys=",".join(own) or NO_KEY, shown=" ".join(map(written, own[:2])) or "(no key)")

    def for_textual(self) -> dict[str, str]:
        """Return what App.set_keymap wants."""
        return {name: ",".join(own) or NO_KEY for name, own in self.changed.items()}


def _keys(key: Key) -> tuple[str, ...]:
    return tuple(key.keys.split(",")) if key.name else ()


def _entries(name: str) -> list[tuple[str, Key]]:
    return [(where, key) for where, table in TABLES.items() for key in table if key.name == name]


def _neighbours(name: str) -> Iterator[Key]:
    """Yield the other actions whose keys work where this one's do."""
    places = {where for where, _ in _entries(name)}
    everywhere = bool(places & set(SHARED))
    for where, table in TABLES.items():
        if everywhere or where in places or where in SHARED:
            yield from (key for key in table if key.name and key.name != name)


def _as_designed(name: str, other: Key, key: str) -> bool:
    """Return whether both have the key by default: the one of a pane then goes before the one of all lists."""
    return key in _keys(other) and any(key in _keys(own) for _, own in _entries(name))
