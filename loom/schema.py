"""What a function takes and gives: its signature as models, and as JSON Schema.

The parameters are the fields of one JSON object; the annotations are the schema. What cannot be described
is refused where the function is declared, by a `DefinitionError` of one line.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from loom.errors import DefinitionError
from loom.payload import adapter_for, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Names", "Signature", "check_kind", "describe", "takes_context"]

# A field of the model is named so, whatever the parameter: no parameter can clash with BaseModel's own names.
_FIELD = "arg_{}"

# What these are described as never changes: functions that take and give nothing else are described once.
_PLAIN = frozenset({bool, bytes, float, int, str, type(None)})
_PLAIN_TEXTS: dict[str | None, type] = {
    **{it.__name__: it for it in (bool, bytes, float, int, str)},
    "None": type(None),
    None: type(None),
}
_MOST_PLAIN = 256
_plain_before: dict[tuple[object, ...], _Described] = {}
_signatures_before: dict[object, Signature] = {}
_NO_DEFAULT = inspect.Parameter.empty

# How Context is written where it is imported only for type checkers.
_CONTEXT_TEXTS = frozenset({"Context", "loom.Context", "loom.context.Context"})

_CannotDescribe = (PydanticUserError, NameError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives.

    Attributes:
        arguments: a model with one field for each parameter.
        positional: the parameters that are passed by position, in order.
        keywords: the parameters that are passed by name.
        context: the parameter that takes the Context; empty for none.
        output: validates and writes what the function returns.
        raw: whether the function returns bytes, which go as they are.
        input_schema: JSON Schema of the arguments, an object; to be read only, as the next.
        output_schema: JSON Schema of the answer.
    """

    arguments: type[BaseModel]
    positional: tuple[str, ...]
    keywords: tuple[str, ...]
    context: str
    output: TypeAdapter[Any]
    raw: bool
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]

    def bind(self, arguments: BaseModel, context: object) -> tuple[list[Any], dict[str, Any]]:
        """Validated arguments as what the function is called with."""

        def value(name: str) -> Any:
            return context if name == self.context else getattr(arguments, _FIELD.format(name))

        return [value(name) for name in self.positional], {name: value(name) for name in self.keywords}


def describe(function: Callable[..., Any], what: str) -> Signature:
    """The signature of a function.

    Args:
        function: a function or bound method, synchronous or not.
        what: how errors call it, such as `capability 'web.search'`.

    Raises:
        DefinitionError: the function cannot be described; the message says what to do.
    """
    key = _plain_key(function)
    signature = None if key is None else _signatures_before.get(key)
    if signature is None:
        signature = _described_anew(function, what)
        if key is not None:
            if len(_signatures_before) >= _MOST_PLAIN:
                _signatures_before.clear()
            _signatures_before[key] = signature
    return signature


def _plain_key(function: Callable[..., Any]) -> object:
    """What a function of scalars is known by, however often a factory declares it; None for any other."""
    if type(function) is not types.FunctionType or function.__dict__:
        return None
    annotations = {name: _scalar(said, function) for name, said in function.__annotations__.items()}
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    if not all(map(_is_plain, annotations.values())) or not all(type(it) in _PLAIN for it in defaults):
        return None
    # A default by its type and text: True is not 1 here.
    said = [(type(it), repr(it)) for it in defaults]
    return (function.__code__, *said, *(function.__kwdefaults__ or {}), *annotations.items())


def _scalar(annotation: Any, function: types.FunctionType) -> Any:
    """What is written as the name of a scalar is that scalar, unless the name means something else there."""
    if annotation is not None and type(annotation) is not str:
        return annotation
    named = _PLAIN_TEXTS.get(annotation)
    if named is None or annotation in function.__globals__ or _is_local(annotation, function):
        return annotation
    return named


def _is_local(name: str | None, function: types.FunctionType) -> bool:
    """Whether a function around this one has a local variable of that name."""
    if "<locals>" not in function.__qualname__:
        return False
    return name in function.__code__.co_freevars or any(
        name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
        for code in (frame.f_code for frame in _enclosing_frames(function))
    )


def _described_anew(function: Callable[..., Any], what: str) -> Signature:
    check_kind(function, what)
    signature = inspect.signature(function)
    names = Names(function, what)
    parameters: dict[str, inspect.Parameter] = {}
    fields: dict[str, _Typed] = {}
    context = ""
    for parameter in signature.parameters.values():
        _check_parameter(parameter, what)
        parameters[parameter.name] = parameter
        if takes_context(parameter, names):
            if context:
                raise DefinitionError(
                    f"{what} takes the Context twice ({context!r}, {parameter.name!r}); once is enough"
                )
            context = parameter.name
        elif parameter.annotation is parameter.empty:
            raise DefinitionError(_unannotated(parameter.name, what))
        else:
            annotation = names.resolve(parameter.annotation, f"parameter {parameter.name!r}")
            fields[parameter.name] = _Typed(annotation, parameter.default)
    returns: Any = Any
    if signature.return_annotation is not signature.empty:
        returns = names.resolve(signature.return_annotation, "the return annotation")
    described = _described(fields, returns, what)
    return Signature(
        arguments=described.arguments,
        positional=tuple(p.name for p in parameters.values() if p.kind is p.POSITIONAL_ONLY),
        keywords=tuple(p.name for p in parameters.values() if p.kind is not p.POSITIONAL_ONLY),
        context=context,
        output=described.output,
        raw=returns is bytes,
        input_schema=described.input_schema,
        output_schema=described.output_schema,
    )


def check_kind(function: Callable[..., Any], what: str) -> None:
    """Refuses what is not a function, and functions that yield.

    Raises:
        DefinitionError: as said.
    """
    plain = inspect.unwrap(function)
    if not (inspect.isfunction(plain) or inspect.ismethod(plain)):
        raise DefinitionError(
            f"{what} is a {type(function).__name__}; declare it on a function (def or async def)"
        )
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise DefinitionError(f"{what} yields; return the whole answer instead, such as a list")


def _check_parameter(parameter: inspect.Parameter, what: str) -> None:
    if parameter.kind is parameter.VAR_KEYWORD:
        raise DefinitionError(
            f"{what} takes **{parameter.name}, whose fields no schema can name; "
            f"write one parameter for each field, or one `{parameter.name}: dict[str, ...]`"
        )
    if parameter.kind is parameter.VAR_POSITIONAL:
        raise DefinitionError(
            f"{what} takes *{parameter.name}, but arguments come by name; write `{parameter.name}: list[...]`"
        )


def _unannotated(name: str, what: str) -> str:
    if name in ("self", "cls"):
        return (
            f"{what} takes {name!r}: a class's method is not bound yet; declare it on a bound method instead"
        )
    return f"parameter {name!r} of {what} has no type; annotate it, for example `{name}: str`"


class Names:
    """Resolves the annotations of one function, also those written as text.

    `what` is how errors call the function.
    """

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        self.what = what
        self._plain = inspect.unwrap(function)
        self._locals: dict[str, Any] | None = None

    def resolve(self, annotation: Any, place: str) -> Any:
        """The type that an annotation names.

        Raises:
            DefinitionError: a name in it is not known.
        """
        if _is_plain(annotation):
            return annotation
        names: dict[str, Any] = getattr(self._plain, "__globals__", {})
        if self._locals is None:
            self._locals = {**_enclosing_locals(self._plain), **_closure(self._plain)}
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        try:
            return typing.get_type_hints(holder, names, self._locals, include_extras=True)["it"]
        except NameError as error:
            raise DefinitionError(
                f"{place} of {self.what} names {error.name or annotation!r}, which is not known there; "
                "import or define it before the function, and not only under TYPE_CHECKING"
            ) from error
        except (TypeError, SyntaxError, AttributeError) as error:
            raise DefinitionError(f"{place} of {self.what} is not a type: {error}; write a type") from error


def _enclosing_locals(function: Callable[..., Any]) -> dict[str, Any]:
    """The local names of the functions in which this one is being defined, so far as they still run."""
    names: dict[str, Any] = {}
    for frame in _enclosing_frames(function):
        names = {**frame.f_locals, **names}  # the inner function's names go first
    return names


def _enclosing_frames(function: Callable[..., Any]) -> Iterator[types.FrameType]:
    """The calls, so far as they still run, of the functions in which this one is being defined."""
    parts = getattr(function, "__qualname__", "").split(".<locals>.")
    enclosing = {".<locals>.".join(parts[:count]) for count in range(1, len(parts))}
    frame = inspect.currentframe() if enclosing else None
    while frame is not None:
        if frame.f_code.co_qualname in enclosing and frame.f_globals is getattr(
            function, "__globals__", None
        ):
            yield frame
        frame = frame.f_back


def _closure(function: Callable[..., Any]) -> Mapping[str, Any]:
    """The names that the function itself uses of the functions around it."""
    try:
        return inspect.getclosurevars(function).nonlocals
    except (TypeError, ValueError):  # not a plain function, or a name of it is not bound yet
        return {}


def takes_context(parameter: inspect.Parameter, names: Names) -> bool:
    """Whether a parameter takes the Context: it is named `ctx`, or annotated so."""
    if parameter.name == "ctx":
        return True
    annotation = parameter.annotation
    if isinstance(annotation, str) and annotation.removesuffix("| None").strip() in _CONTEXT_TEXTS:
        return True
    if annotation is parameter.empty or _is_plain(annotation):
        return False
    if "loom.context" not in sys.modules:
        return False  # nobody can name a class whose module was never imported
    context_class = sys.modules["loom.context"].Context
    resolved = names.resolve(annotation, f"parameter {parameter.name!r}")
    options = get_args(resolved) if get_origin(resolved) in (Union, types.UnionType) else (resolved,)
    return any(isinstance(option, type) and issubclass(option, context_class) for option in options)


class _Typed(NamedTuple):
    """What a parameter says: its annotation and its default."""

    annotation: Any
    default: Any


class _Described(NamedTuple):
    """What the parameters and the answer of a function are, as models and as schemas."""

    arguments: type[BaseModel]
    input_schema: dict[str, Any]
    output: TypeAdapter[Any]
    output_schema: dict[str, Any]


def _described(fields: Mapping[str, _Typed], returns: Any, what: str) -> _Described:
    """What takes and gives only plain scalars is described once, however often it is declared."""
    if not _is_plain(returns) or not all(
        _is_plain(typed.annotation) and (typed.default is _NO_DEFAULT or type(typed.default) in _PLAIN)
        for typed in fields.values()
    ):
        return _describe(fields, returns, what)
    # A default by its type and text: True is not 1 here.
    said = [(name, it.annotation, type(it.default), repr(it.default)) for name, it in fields.items()]
    key = (*said, returns)
    found = _plain_before.get(key)
    if found is None:
        if len(_plain_before) >= _MOST_PLAIN:
            _plain_before.clear()
        found = _plain_before[key] = _describe(fields, returns, what)
    return found


def _is_plain(annotation: Any) -> bool:
    return isinstance(annotation, type) and annotation in _PLAIN


def _describe(fields: Mapping[str, _Typed], returns: Any, what: str) -> _Described:
    made = {name: _field(name, *typed) for name, typed in fields.items()}
    arguments, input_schema = _arguments_model(made, what)
    output, output_schema = _output(returns, what)
    return _Described(arguments, input_schema, output, output_schema)


def _field(name: str, annotation: Any, said: Any) -> tuple[Any, Any]:
    """A parameter as (annotation, default) for the model.

    The field goes by the parameter's name on the wire, unless `Field(alias=...)` gives it another.
    """
    options: dict[str, Any] = {}
    if isinstance(said, FieldInfo):  # limit: int = Field(5, ge=1)
        given = said
        annotation = Annotated[annotation, given]
        if given.default_factory is not None:
            options["default_factory"] = given.default_factory
        elif not given.is_required():
            options["default"] = given.default
    elif said is not _NO_DEFAULT:
        options["default"] = said
    declared = FieldInfo.from_annotation(annotation)
    if not (declared.alias or declared.validation_alias):
        options["alias"] = name
    return annotation, Field(**options)


class _Schema(GenerateJsonSchema):
    """JSON Schema without a warning for a default that is not JSON: it is left out, which is no fault."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as Pydantic declares it


def _arguments_model(fields: dict[str, tuple[Any, Any]], what: str) -> tuple[type[BaseModel], dict[str, Any]]:
    definitions: dict[str, Any] = {_FIELD.format(name): field for name, field in fields.items()}
    try:
        model: type[BaseModel] = create_model(
            "Arguments", __config__=ConfigDict(extra="forbid"), **definitions
        )
        return model, model.model_json_schema(schema_generator=_Schema)
    except _CannotDescribe as error:
        for name, (annotation, _) in fields.items():
            _check_describable(annotation, f"parameter {name!r} of {what}")
        raise DefinitionError(f"{what} cannot be described: {error}") from error


def _output(returns: Any, what: str) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    _check_describable(returns, f"what {what} returns", mode="serialization")
    adapter = adapter_for(returns)
    return adapter, adapter.json_schema(mode="serialization", schema_generator=_Schema)


def _check_describable(
    annotation: Any, place: str, mode: typing.Literal["validation", "serialization"] = "validation"
) -> None:
    try:
        adapter_for(annotation).json_schema(mode=mode, schema_generator=_Schema)
    except (DefinitionError, *_CannotDescribe) as error:
        raise DefinitionError(
            f"{place} cannot be described: {type_name(annotation)} has no JSON Schema; "
            "use a Pydantic model, a dataclass, or types made of dict, list and scalars"
        ) from error
