"""What a symbol's name or an address stands for, as lines for its pane."""

from typing import Any

from oopscope.errors import OopscopeError


def symbol(kernel: Any, name: str) -> list[tuple[str, str]]:
    """Look a name up, or an address; return (heading, text)."""
    try:
        if name.startswith(("0x", "ffff")):
            address = int(name, 16)
            return [("Address", f"{address:#x}"), ("Symbol", str(kernel.name_of(address)))]
        return [("Symbol", name), ("Address", f"{int(kernel.symbol(name)):#x}")]
    except (OopscopeError, ValueError) as error:
        return [("Symbol", name), ("Not found", str(error))]
