"""Whether a thing is shaped as the provider's own SDK says: its annotations are the schema that comes with it.

`stripe` describes each object by a class, whose annotations name every field with its type. A field that is not there
is invented; a value of another type is wrong; a Literal names all words there are, even where `str` stands beside it.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_service import StripeService
from typing_extensions import is_typeddict

Thing = dict[str, Any]
_NO_LIST = object()  # like nothing that a list can hold


def faults(thing: Thing) -> list[str]:
    """What is wrong with an object, by the class that its `object` names. What is left out is no fault."""
    return list(_of_object(thing, _class_of(thing), thing["object"]))


def watched(thing: Thing, found: set[str]) -> Thing:
    """The same, which notes every field that is asked for and that the SDK does not know."""
    kind = _class_of(thing) if _says_what_it_is(thing) else None
    return _Watched(thing, kind, thing.get("object", ""), found)


class _Watched(dict[str, Any]):
    def __init__(self, thing: Thing, kind: type | None, where: str, found: set[str]) -> None:
        super().__init__({name: _inside(value, kind, f"{where}.{name}", found) for name, value in thing.items()})
        self._known = _fields(kind) if kind else None
        self._where, self._found = where, found

    def __getitem__(self, name: str) -> Any:
        self._look(name)
        return super().__getitem__(name)

    def get(self, name: str, otherwise: Any = None) -> Any:
        self._look(name)
        return super().get(name, otherwise)

    def _look(self, name: str) -> None:
        if self._known is not None and name not in self._known:
            self._found.add(f"{self._where}.{name}")


def _inside(value: Any, kind: type | None, where: str, found: set[str]) -> Any:
    if isinstance(value, list):
        return [_inside(each, kind, f"{where}[]", found) for each in value]
    if not isinstance(value, dict):
        return value
    if _says_what_it_is(value):
        return _Watched(value, _class_of(value), value["object"], found)
    name = where.rpartition(".")[2].removesuffix("[]")
    wanted = _fields(kind).get(name) if kind else None
    inner = next(iter(_classes_in(wanted, kind)), None) if kind and wanted is not None else None
    return _Watched(value, inner, where, found)


def faults_of_call(service: StripeService, method: str, said: Thing) -> list[str]:
    """What is wrong with the parameters of a call, by the annotation of that method of the SDK."""
    kind = type(service)
    params = vars(kind)[method].__annotations__["params"]
    wanted = next(each for each in (_resolved(each, kind) for each in _choices(params)) if is_typeddict(each))
    return list(_of_params(said, wanted, wanted.__name__))


def _says_what_it_is(thing: Thing) -> bool:
    said = thing.get("object")
    return isinstance(said, str) and said in OBJECT_CLASSES


def _class_of(thing: Thing) -> type:
    module, name = OBJECT_CLASSES[thing["object"]]
    found: type = getattr(import_module(module), name)
    return found


def _of_object(thing: Thing, kind: type, where: str) -> Iterator[str]:
    known = _fields(kind)
    for name, value in thing.items():
        if name not in known:
            yield f"{where}.{name} is invented"
        else:
            yield from _of_value(value, known[name], kind, f"{where}.{name}")


def _of_params(said: Thing, kind: Any, where: str) -> Iterator[str]:
    known = {name: wanted for base in reversed(kind.__mro__ or ()) for name, wanted in _own(base).items()}
    for name, value in said.items():
        if name not in known:
            yield f"{where}.{name} is invented"
        else:
            yield from _of_value(value, known[name], kind, f"{where}.{name}")


def _of_value(value: Any, wanted: Any, kind: type, where: str) -> Iterator[str]:
    wanted = _resolved(wanted, kind)
    choices = [_resolved(each, kind) for each in _choices(wanted)]
    if value is None:
        if NoneType not in choices and Any not in choices:
            yield f"{where} is never null"
        return
    words = [word for each in choices if get_origin(each) is Literal for word in get_args(each)]
    if any(words) and isinstance(value, str):  # an empty one alone means that any text may be taken away again
        if value not in words:
            yield f"{where} is {value!r}, not one of {words}"
        return
    like_it = [each for each in choices if _is_for(each, value)] or [each for each in choices if each is not NoneType]
    yield from min((list(_of_one(value, each, kind, where)) for each in like_it), key=len)


def _is_for(wanted: Any, value: Any) -> bool:
    """Of several choices, those that are meant for such a value: an object is not compared with a name."""
    origin = get_origin(wanted)
    if isinstance(value, dict):
        is_class = inspect.isclass(wanted) and (issubclass(wanted, StripeObject) or is_typeddict(wanted))
        return is_class or origin not in {None, list, Literal}
    return origin is list if isinstance(value, list) else origin in {None, Literal} and wanted is not NoneType


def _of_one(value: Any, wanted: Any, kind: type, where: str) -> Iterator[str]:
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        if value not in inner:
            yield f"{where} is {value!r}, not one of {inner}"
    elif origin is list:
        for each in value if isinstance(value, list) else [_NO_LIST]:
            yield from _of_value(each, inner[0], kind, f"{where}[]")
    elif origin is ListObject:
        yield from _of_list(value, inner[0], kind, where)
    elif origin is not None:  # a mapping from names of anybody's choice
        for name, each in value.items() if isinstance(value, dict) else [("", value)]:
            yield from _of_value(each, inner[-1], kind, f"{where}.{name}")
    elif wanted is not Any:
        yield from _of_class(value, wanted, where)


def _of_class(value: Any, wanted: Any, where: str) -> Iterator[str]:
    is_of_sdk = inspect.isclass(wanted) and issubclass(wanted, StripeObject)
    if (is_of_sdk or is_typeddict(wanted)) and not isinstance(value, dict):
        yield f"{where} is no object"
    elif is_of_sdk:
        yield from _of_object(value, wanted, where)
    elif is_typeddict(wanted):
        yield from _of_params(value, wanted, where)
    elif not _is_of(value, wanted):
        yield f"{where} is {value!r}, no {getattr(wanted, '__name__', wanted)}"


def _of_list(value: Any, wanted: Any, kind: type, where: str) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("object") != "list" or not isinstance(value.get("has_more"), bool):
        yield f"{where} is no list of the provider's kind"
        return
    for each in value["data"]:
        yield from _of_value(each, wanted, kind, f"{where}.data[]")


def _classes_in(wanted: Any, kind: type) -> Iterator[type]:
    """Of the objects that may stand there, alone or in a list."""
    for each in (_resolved(choice, kind) for choice in _choices(_resolved(wanted, kind))):
        if get_origin(each) is list:
            yield from _classes_in(get_args(each)[0], kind)
        elif inspect.isclass(each) and issubclass(each, StripeObject):
            yield each


def _is_of(value: Any, wanted: Any) -> bool:
    if wanted is bool or isinstance(value, bool):
        return wanted is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if wanted is float else wanted)


def _choices(wanted: Any) -> tuple[Any, ...]:
    return get_args(wanted) if get_origin(wanted) in {Union, UnionType} else (wanted,)


def _fields(kind: type) -> dict[str, Any]:
    """Of an object, `object` and `id` among them; what only classes have is left out."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, StripeObject) and base is not StripeObject:
            found |= {name: wanted for name, wanted in _own(base).items() if not name.startswith("_")}
    return {name: wanted for name, wanted in found.items() if not _is_of_class(wanted)}


def _own(kind: Any) -> dict[str, Any]:
    return dict(vars(kind).get("__annotations__", {}))


def _is_of_class(wanted: Any) -> bool:
    return "ClassVar" in str(wanted)


def _resolved(wanted: Any, kind: type) -> Any:
    """The type that a name in quotes stands for, as in the module of its class."""
    while isinstance(wanted, (str, ForwardRef)):
        words = wanted if isinstance(wanted, str) else wanted.__forward_arg__
        wanted = eval(words, _names(kind.__module__), _inner(kind))  # the SDK's own words
    if get_origin(wanted) in {NotRequired, Required}:
        return _resolved(get_args(wanted)[0], kind)
    return wanted


def _inner(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if inspect.isclass(value)}


@cache
def _names(module: str) -> dict[str, Any]:
    """Those of a module, with what it imports for the eyes of type checkers alone."""
    there = sys.modules[module]
    names = dict(vars(there))
    for node in ast.walk(ast.parse(inspect.getsource(there))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe"):
            for each in node.names:
                names.setdefault(each.asname or each.name, getattr(import_module(node.module), each.name))
    return names
