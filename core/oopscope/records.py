"""NamedTuple, made quickly: a report meets more than three hundred such classes, and typing's own costs 0.15 ms each.

To type checkers it is typing.NamedTuple, and so it behaves: fields with defaults, `_fields`, `_make`, `_replace`,
`_asdict`, pickling, patterns. typing's compiles the text of a constructor for each class; here the constructors of all
classes of as many fields are one code, under the names of each one's fields. It knows nothing of the kernel.
"""

from functools import cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    try:
        from _collections import _tuplegetter as getter_of
    except ImportError:  # another Python than CPython
        from operator import itemgetter

        def getter_of(index: int, _doc: str) -> property:
            return property(itemgetter(index))

    SPACE = {"_new": tuple.__new__, "__builtins__": {}, "__name__": __name__}

    @cache
    def code_for(count: int) -> CodeType:
        """Return the code of a constructor of so many fields."""
        fields = ", ".join(f"_{n}" for n in range(count))
        after = "," if count == 1 else ""
        made: CodeType = eval(f"lambda _cls, {fields}: _new(_cls, ({fields}{after}))").__code__  # noqa: S307 - our own text
        return made

    def constructor(name: str, fields: tuple[str, ...], defaults: dict[str, Any]) -> FunctionType:
        code = code_for(len(fields)).replace(co_varnames=("_cls", *fields), co_name="__new__")
        made = FunctionType(code, SPACE, "__new__", tuple(defaults.values()) or None)
        made.__qualname__ = f"{name}.__new__"  # how a call with wrong arguments is told of
        return made

    class Record(tuple):
        """What all such classes have in common."""

        __slots__ = ()

        @classmethod
        def _make(cls, values: Any) -> Any:
            found = tuple.__new__(cls, values)
            if len(found) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(found)}")
            return found

        def _replace(self, /, **changed: Any) -> Any:
            found = self._make(map(changed.pop, self._fields, self))
            if changed:
                raise ValueError(f"Got unexpected field names: {list(changed)!r}")
            return found

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            inside = ", ".join(f"{key}={value!r}" for key, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({inside})"

    class RecordMaker(type):
        """Makes a class statement with NamedTuple among its bases a record's class."""

        def __new__(mcs, name: str, _bases: tuple[type, ...], space: dict[str, Any]) -> type:
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space[field] for field in fields if field in space}
            late = fields[len(fields) - len(defaults) :]
            if tuple(defaults) != late or any(field.startswith("_") for field in fields):
                raise TypeError(f"{name}: a field without a default after one with one, or whose name begins with _")
            space |= {field: getter_of(index, "") for index, field in enumerate(fields)}
            space |= {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            return type(name, (Record,), space | {"__new__": constructor(name, fields, defaults)})

    class Bases:
        """Stands among the bases of a class statement."""

        def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[type, ...]:
            return (PLACE,)

    PLACE = type.__new__(RecordMaker, "NamedTuple", (), {})
    NamedTuple = Bases()
