"""The types of ``shapes`` as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses)."""

import inspect
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Schema = dict[str, Any]

PLAIN: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


def schema_of(type_: Any, definitions: dict[str, Schema]) -> Schema:  # noqa: PLR0911  # one return a kind
    """The schema of what a JSON value of ``type_`` looks like.

    Args:
        type_: a plain type, a ``Literal``, a list, tuple, dict or union of such, or a TypedDict;
            ``Annotated`` with what JSON Schema says more of it.
        definitions: where each TypedDict met on the way is put under its name; the schema refers
            to it there.

    Raises:
        TypeError: JSON has nothing of the kind.
    """
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Annotated:
        limits: Schema = parts[1]
        return schema_of(parts[0], definitions) | limits
    if type_ in PLAIN:
        return {"type": PLAIN[type_]}
    if type_ is Any:
        return {}
    if is_typeddict(type_):
        return _reference(type_, definitions)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(part, definitions) for part in parts]}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": schema_of(parts[0], definitions)}
    if origin is tuple:
        items = [schema_of(part, definitions) for part in parts]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(parts[1], definitions)}
    raise TypeError(f"{type_!r} is no type of a JSON value")


def _reference(shape: Any, definitions: dict[str, Schema]) -> Schema:
    name = shape.__name__
    if name not in definitions:
        definitions[name] = {}  # a shape that holds itself refers to what is being made
        hints = get_type_hints(shape, include_extras=True)
        definitions[name] = {
            "type": "object",
            "description": inspect.cleandoc(shape.__doc__ or ""),
            "properties": {
                key: schema_of(_without_mark(hint), definitions) for key, hint in hints.items()
            },
            "required": sorted(shape.__required_keys__),
            "additionalProperties": False,
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _without_mark(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint
