"""JSON Schemas of structs, with what the code says of each field.

msgspec knows the types and the classes' docstrings; the sentence below a field is text to it, so it is read from the source.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Final, get_type_hints

import msgspec
from msgspec import Struct

from jobplan.bundle.raw import Json, JsonObject

REFERENCE: Final = "#/components/schemas/{name}"
"""Where an AsyncAPI or OpenAPI document keeps what others refer to."""


def schemas_of(
    types: Iterable[type[Struct]], reference: str = REFERENCE
) -> tuple[list[JsonObject], dict[str, JsonObject]]:
    """The schema of each type, and those that they refer to, by name."""
    wanted = list(types)
    classes = {cls.__name__: cls for cls in _structs(wanted)}
    found, components = msgspec.json.schema_components(map(_without_raw_defaults, wanted), ref_template=reference)
    for name, schema in components.items():
        if name in classes:
            _say_fields(schema, classes[name])
        _plainly(schema)
        _undiscriminated(schema)
    return list(found), components


def _structs(types: Iterable[type[Struct]]) -> set[type[Struct]]:
    """All structs that the types are made of."""
    found: set[type[Struct]] = set()
    waiting = list(msgspec.inspect.multi_type_info(types))
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in found:
                continue
            found.add(info.cls)
            waiting += [inner.type for inner in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            waiting += info.types
        elif isinstance(info, msgspec.inspect.DictType):
            waiting += [info.key_type, info.value_type]
        elif isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.ListType | msgspec.inspect.SetType):
            waiting.append(info.item_type)
        elif isinstance(info, msgspec.inspect.Metadata):
            waiting.append(info.type)
    return found


def _without_raw_defaults(cls: type[Struct]) -> type[Struct]:
    """The struct, or one like it whose ready-made JSON (Raw) has no default: msgspec can say none in a schema."""
    defaults = dict(zip(cls.__struct_fields__[::-1], cls.__struct_defaults__[::-1], strict=False))
    raw = {name for name, default in defaults.items() if isinstance(default, msgspec.Raw)}
    if not raw:
        return cls
    names = dict(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
    hints = get_type_hints(cls, include_extras=True)
    fields = [
        (name, hints[name], defaults[name]) if name in defaults and name not in raw else (name, hints[name])
        for name in cls.__struct_fields__
    ]
    return msgspec.defstruct(
        cls.__name__,
        fields,
        namespace={"__doc__": cls.__doc__},
        kw_only=True,
        rename=names,
        tag=cls.__struct_config__.tag,
        tag_field=cls.__struct_config__.tag_field,
    )


def _say_fields(schema: JsonObject, cls: type[Struct]) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    wire = dict(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
    for field, sentence in field_sentences(cls).items():
        known = properties.get(wire.get(field, ""))
        if isinstance(known, dict):
            known["description"] = sentence


@cache
def field_sentences(cls: type[Struct]) -> Mapping[str, str]:
    """What is written below each field of a struct, inherited fields included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, Struct) or base is Struct:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for above, below in pairwise(body):
            if (
                isinstance(above, ast.AnnAssign)
                and isinstance(above.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[above.target.id] = plainly(inspect.cleandoc(below.value.value))
    return found


def _plainly(schema: JsonObject) -> None:
    if isinstance(text := schema.get("description"), str):
        schema["description"] = plainly(inspect.cleandoc(text))


def _undiscriminated(schema: Json) -> None:
    """Leave out OpenAPI's ``discriminator``: JSON Schema does not know it, and AsyncAPI means something else by it."""
    if isinstance(schema, dict):
        schema.pop("discriminator", None)
        for inner in schema.values():
            _undiscriminated(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _undiscriminated(inner)


def plainly(text: str) -> str:
    """A docstring without its marks: ``code`` and *emphasis*, and with each paragraph on a line."""
    paragraphs = re.split(r"\n\s*\n", re.sub(r"``(.+?)``", r"\1", re.sub(r"\*(\w+)\*", r"\1", text)))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def reference_to(name: str) -> dict[str, Json]:
    """A reference to a schema among the components."""
    return {"$ref": REFERENCE.format(name=name)}
