"""NamedTuple of our own: what typing's does, it does."""

import copy
import pickle
from typing import Any

import pytest

from oopscope.records import NamedTuple


class Place(NamedTuple):
    """A place."""

    number: int
    name: str = "home"
    more: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """Both in words."""
        return f"{self.name} {self.number}"


class One(NamedTuple):
    value: int


class Nothing(NamedTuple):
    pass


def test_fields_and_defaults() -> None:
    place = Place(1)
    assert tuple(place) == (1, "home", ())
    assert (place.number, place.name, place.told) == (1, "home", "home 1")
    assert Place(name="away", number=2) == Place(2, "away")
    assert One(3) == (3,) and Nothing() == ()
    assert Place._fields == ("number", "name", "more") and Place._field_defaults == {"name": "home", "more": ()}
    assert list(Place.__annotations__) == ["number", "name", "more"]


def test_what_all_have() -> None:
    place = Place(1)
    assert place._replace(name="there") == Place(1, "there") and type(place._replace(number=2)) is Place
    assert place._asdict() == {"number": 1, "name": "home", "more": ()}
    assert Place._make([1, "here", ()]) == Place(1, "here")
    assert repr(Place(1)) == "Place(number=1, name='home', more=())"
    assert type(pickle.loads(pickle.dumps(place))) is Place and copy.copy(place) == place
    assert hash(place) == hash((1, "home", ()))
    match place:
        case Place(number, name):
            assert (number, name) == (1, "home")


@pytest.mark.parametrize(("given", "named"), [((), {}), ((1,), {"other": 2}), ((1, "a", (), 4), {})])
def test_wrong_arguments(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Place\.__new__"):
        Place(*given, **named)


def test_wrong_fields() -> None:
    with pytest.raises(ValueError, match="unexpected"):
        Place(1)._replace(other=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Expected 3"):
        Place._make([1])
    with pytest.raises(AttributeError):
        Place(1).number = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="default"):

        class _Bad(NamedTuple):
            first: int = 1
            second: int  # type: ignore[misc]
