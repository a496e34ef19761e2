"""How sure a verdict is."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "certain": Text(
        "The kernel itself said so, in words that its source fixes, or the registers and the stack prove it.",
    ),
    "likely": Text(
        "The signs agree, but another cause could leave the same ones.",
        "",
        "Read the evidence before you act on it.",
    ),
    "possible": Text(
        "One sign points there; what would prove it is absent or could not be read.",
        "",
        "Take it for a place to begin. Problems tells what could not be read.",
    ),
}
