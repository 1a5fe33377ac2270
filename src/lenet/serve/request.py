"""What a client sends to be read: pictures, as a form or as the body itself, and options as on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from lenet.errors import UsageError

_FORM = "multipart/form-data"
# What a picture may be sent as, as generators of clients take it; any other kind of picture is read too.
BODY_KINDS = (*(f"image/{kind}" for kind in ("png", "jpeg", "webp", "tiff", "bmp", "gif")), "application/octet-stream")
_FIELD = "file"


class Wanted(BaseModel):
    """What may be asked of any picture: the network, what a number may be, how many texts, how many errors."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    model: Annotated[str, Field(min_length=1, max_length=64, description="a network of GET /models")] | None = None
    pattern: (
        Annotated[
            str,
            Field(min_length=1, max_length=200, description="zip, amount, time, date, digits:N, luhn or an expression"),
        ]
        | None
    ) = None
    choices: Annotated[
        list[Annotated[str, Field(max_length=100)]], Field(max_length=10_000, description="what a number may be")
    ] = []
    best: Annotated[int, Field(ge=0, le=100, description="list so many of the likeliest texts of a line or cell")] = 0
    max_error: (
        Annotated[float, Field(gt=0, lt=1, description="withhold answers so that at most this share is wrong")] | None
    ) = None

    def asked(self) -> dict[str, Any]:
        """Return what is asked but the network, as the reader takes it."""
        formats = {"pattern": self.pattern, "choices": self.choices or None}
        return {**formats, "best": self.best, "max_error": self.max_error}


class Options(Wanted):
    """How to read, as `lenet read` takes it: in the query, or as fields of the form."""

    digit: Annotated[bool, Field(description="take the whole picture for one digit")] = False
    method: Annotated[
        Literal["cut", "line", "both", "sweep"],
        Field(description="cut the ink into digits, read lines as a whole, both in doubt, or slide along the ink"),
    ] = "both"

    @property
    def sliding_window(self) -> bool:
        """Whether to slide the network along the line."""
        return self.method == "sweep"

    def asked(self) -> dict[str, Any]:
        """Return the options of `lenet.reader.read_options` but the network, and whether it slides."""
        return {"readers": "cut" if self.sliding_window else self.method, **super().asked()}


class PageOptions(Wanted):
    """How to read a page of tables, as `lenet table` takes it: in the query, or as fields of the form."""

    sums: Annotated[
        Literal["last-row", "last-column"] | None, Field(alias="sum", description="where the sums of a table stand")
    ] = None
    printed: Annotated[bool, Field(alias="print", description="read machine print too")] = False
    review: Annotated[bool, Field(description="tell each cell with its picture, to look at it")] = False

    def asked(self) -> dict[str, Any]:
        """Return the options of `lenet.tables.read_page.table_options` but the network."""
        return {"sums": self.sums, "printed": self.printed, **super().asked()}


Asked = TypeVar("Asked", Options, PageOptions)


@dataclass(frozen=True)
class Upload:
    """A picture's bytes, and its name on the client's side, if any: it is told back, and used for nothing."""

    name: str | None
    data: bytes


def read_parameters(kind: type[BaseModel] = Options) -> list[dict[str, Any]]:
    """Describe the options as the parameters of a query."""
    described = kind.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": each} for name, each in described.items()]


async def read_pictures(request: Request, most: int) -> tuple[list[Upload], Options]:
    """Return what was sent to be read, as `read_uploads`, and how."""
    return await read_uploads(request, most, Options)


async def read_uploads(request: Request, most: int, options_kind: type[Asked]) -> tuple[list[Upload], Asked]:
    """Return what was sent, at most so many pictures, with the options of the query and of the form.

    Raises HTTPException 400 for what is no form or has no picture, 413 for too many, 415 for another kind of body, and
    UsageError for an option.
    """
    options = _of_query(request.url.query, options_kind)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        if kind and not kind.startswith("image/") and kind != "application/octet-stream":
            raise HTTPException(415, f"content type {kind}: send image/*, application/octet-stream or {_FORM}")
        data = await request.body()
        if not data:
            raise HTTPException(400, "picture: is empty; send it as the body, or as the field file of a form")
        return [Upload(None, data)], options
    # The body was received within its limit: one part may be all of it.
    form = await request.form(max_files=most + 1, max_fields=10_100, max_part_size=1 << 20)
    found = [each for each in form.getlist(_FIELD) if isinstance(each, UploadFile)]
    if not found:
        raise HTTPException(400, f"form: no picture in it; send one as the field {_FIELD}")
    if len(found) > most:
        raise HTTPException(413, f"form: more than {most} pictures; send them in parts")
    given = [Upload(each.filename or None, await each.read()) for each in found]
    return given, _merged(options, form.multi_items())


@lru_cache(maxsize=256)
def _of_query(query: str, kind: type[Asked]) -> Asked:
    return _merged(kind(), QueryParams(query).multi_items())


def _merged(options: Asked, fields: Iterable[tuple[str, Any]]) -> Asked:
    """Return the options with a form's or a query's fields, which go before those there are."""
    given: dict[str, Any] = {}
    for name, value in fields:
        if name == _FIELD:
            continue
        if name == "choices":
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    if not given:
        return options
    try:
        return type(options).model_validate({**options.model_dump(exclude_unset=True, by_alias=True), **given})
    except ValidationError as error:
        known = [field.alias or name for name, field in type(options).model_fields.items()]
        raise UsageError(*find_first_problem(error.errors(), known)) from error


def find_first_problem(errors: Iterable[Any], known: Iterable[str] = ()) -> tuple[str, str, str]:
    """Return the first of a validator's complaints as a thing, what is wrong with it, and what to do."""
    first = next(iter(errors))
    if first["type"] == "json_invalid":
        return "body", f"is no JSON ({first.get('ctx', {}).get('error', 'cannot be read')})", "see /docs"
    where = ".".join(str(each) for each in first["loc"] if each not in ("query", "body")) or "body"
    if first["type"] == "extra_forbidden":
        near = get_close_matches(where, known, 1)
        return where, "no such option", f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    if first["type"] == "missing":
        return where, "is missing", "see /docs"
    problem = str(first["msg"])
    return where, problem[:1].lower() + problem[1:], ""
