"""BTF as the kernel's build writes it, type by type; see Documentation/bpf/btf.rst."""

import struct
from typing import Any

Number = int  # the class has methods of the types' names


class BtfBuilder:
    """Writes BTF types one after the other; each `add` returns the type's id."""

    def __init__(self, endian: str = "<", base: Any = None, first_id: Number = 1) -> None:
        self.endian, self.base, self.first_id = endian, base, first_id
        self.strings, self.types, self.layout, self.count = bytearray(b"" if base else b"\0"), b"", b"", 0
        self.offset = base.string_size if base else 0

    @property
    def string_size(self) -> Any:
        return self.offset + len(self.strings)

    def string(self, text: str) -> Any:
        if not text:
            return 0
        self.strings += text.encode() + b"\0"
        return self.offset + len(self.strings) - len(text) - 1

    def add(self, kind: Number, name: str = "", word: Number = 0, tail: Any = (), vlen: int = 0, flag: int = 0) -> Any:
        info = flag << 31 | kind << 24 | vlen
        words = (self.string(name), info, word, *(t & 0xFFFFFFFF for t in tail))
        self.types += struct.pack(f"{self.endian}{len(words)}I", *words)
        self.count += 1
        return self.first_id + self.count - 1

    def int(self, name: str, size: Number, encoding: Number = 0, bits: Number | None = None, offset: Number = 0) -> Any:
        return self.add(1, name, size, [encoding << 24 | offset << 16 | (8 * size if bits is None else bits)])

    def struct(self, name: str, size: Number, *members: Any, kind: Number = 4, flag: Number = 0) -> Any:
        tail = [w for n, t, at in members for w in (self.string(n), t, at)]
        return self.add(kind, name, size, tail, len(members), flag)

    def union(self, name: str, size: Number, *members: Any, flag: Number = 0) -> Any:
        return self.struct(name, size, *members, kind=5, flag=flag)

    def array(self, element: Any, count: Number) -> Any:
        return self.add(3, "", 0, [element, element, count])

    def enum(self, name: str, size: Number = 4, flag: Number = 0, **values: Any) -> Any:
        tail = [
            w for n, v in values.items() for w in ((self.string(n), v) if size == 4 else (self.string(n), v, v >> 32))
        ]
        return self.add(6 if size == 4 else 19, name, size, tail, len(values), flag)

    def bytes(self, **header: Any) -> Any:
        size = 32 if self.layout else 24
        fields = {
            "magic": 0xEB9F,
            "version": 1,
            "flags": 0,
            "hdr_len": size,
            "type_off": 0,
            "type_len": len(self.types),
            "str_off": len(self.types),
            "str_len": len(self.strings),
            **header,
        }
        head = struct.pack(self.endian + "HBBIIIII", *fields.values())
        if self.layout:
            head += struct.pack(self.endian + "II", len(self.types) + len(self.strings), len(self.layout))
        return head + self.types + bytes(self.strings) + self.layout
