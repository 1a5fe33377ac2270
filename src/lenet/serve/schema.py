"""The bodies of requests and answers, as the interface's description has them."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from lenet.network.spec import DEFAULT
from lenet.result import State
from lenet.serve.training_jobs import RECIPES
from lenet.serve.training_jobs import State as JobState
from lenet.steps import Category
from lenet.tables.result import CellState

Share = Annotated[float, Field(ge=0, le=1)]
# Generators of clients take a boolean or a text, but no list of both; a state is a text to them.
AbstainedOf = Annotated[
    Literal[False] | Literal["blank", "not a digit", "too small", "too blurred", "uncertain"],
    Field(description="false for an answer, else why there is none"),
]
StateOf = Annotated[str, Field(description=", ".join(get_args(State)))]
BoxOf = Annotated[list[int], Field(min_length=4, max_length=4, description="x0, y0, x1, y1 in the picture's pixels")]
# 784 bytes in base64.
GlyphText = Annotated[
    str,
    Field(
        min_length=1048,
        max_length=1048,
        pattern=r"^[A-Za-z0-9+/]{1046}==$",
        description="28x28 bytes in base64, row by row, 0 for paper and 255 for pen",
    ),
]
ModelName = Annotated[str, Field(min_length=1, max_length=64, description="a network of GET /models")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class Failure(BaseModel):
    """What went wrong, in one line."""

    error: str


class RunnerUp(_Answer):
    """The second best label of a digit."""

    label: str
    confidence: Share


class ReadDigit(_Answer):
    """One digit; `glyph` is told by /explain alone."""

    label: str
    confidence: Share
    runner_up: RunnerUp
    line: int
    box: BoxOf
    answered: bool


class ReadSign(_Answer):
    """A point, a comma, a dash and the like."""

    label: str
    confidence: Share
    line: int
    box: BoxOf
    answered: bool


class _ReadText(_Answer):
    text: str = Field(description="an answer; empty where it is withheld")
    guess: str = Field(description="the likeliest text of what is withheld; empty where there is an answer")
    confidence: Share
    abstained: AbstainedOf
    state: StateOf
    box: BoxOf


class ReadLine(_ReadText):
    """One line of writing."""

    digits_confidence: Share = Field(description="that all digits are right, whatever signs stand among them")


class ReadNumber(_ReadText):
    """One number of a line."""

    line: int


class ReadStep(_Answer):
    """What was done to a picture."""

    id: str
    category: Category
    text: str
    values: dict[str, int | float | str]


class Reading(_Answer):
    """What `lenet read --json` prints; `path` is the client's own file name, or null."""

    path: str | None
    text: str = Field(description="an answer; empty where none is given; ? for a number that is withheld beside others")
    guess: str = Field(description="the likeliest text where no answer is given")
    confidence: Share
    digits_confidence: Share = Field(description="that all digits are right, whatever signs stand among them")
    abstained: AbstainedOf
    state: StateOf
    lines: list[ReadLine]
    numbers: list[ReadNumber]
    digits: list[ReadDigit]
    signs: list[ReadSign]
    notes: list[str]
    steps: list[ReadStep]


class ReadCell(_Answer):
    """One cell of a table."""

    row: int
    column: int
    field: str
    text: str = Field(description="an answer; empty where there is none")
    confidence: Share
    state: CellState
    guess: str = Field(description="the likeliest text of what is not answered")
    box: BoxOf
    quad: list[list[int]] = Field(description="the corners, clockwise from upper left, in the picture's pixels")


class ReadSum(_Answer):
    """Whether a line of a table adds up; null where a number of it is not known."""

    line: int
    holds: bool | None
    expected: str
    found: str


class ReadTable(_Answer):
    """One table of a page, its cells in reading order."""

    rows: int
    columns: int
    cells: list[ReadCell]
    sums: list[ReadSum]


class Page(_Answer):
    """What `lenet table --json` prints; with `review`, `columns` and `cells` with pictures in place of `tables`."""

    path: str | None = None
    page: int = 0
    tables: list[ReadTable] = []


class Unread(BaseModel):
    """A picture of a batch that could not be read."""

    path: str | None
    error: str


class Batch(BaseModel):
    """One answer per picture, in order."""

    results: list[Reading | Unread]


class Candidate(_Answer):
    """A run of neighbouring pieces of ink that may be a digit, and what the network says of it."""

    box: BoxOf
    pieces: Annotated[list[int], Field(min_length=2, max_length=2)]
    label: str
    confidence: Share
    chosen: bool
    glyph: GlyphText


class Explanation(Reading):
    """A reading, with all that was looked at on the way."""

    model: str
    size: Annotated[list[int], Field(min_length=2, max_length=2)]
    candidates: list[Candidate]
    cuts: list[list[float]]


class NetworkEntry(BaseModel):
    """A network that may be asked for by name."""

    name: str
    net: str
    about: str
    parameters: int
    errors: int | None = Field(description="wrong answers of 10,000 MNIST test digits, if they were counted")
    reads: Literal["a digit", "numbers", "characters", "a line, by sliding"]
    own: bool = Field(description="trained here")


class Networks(BaseModel):
    """All networks; `default` reads when none is named."""

    default: str
    networks: list[NetworkEntry]


class Ready(BaseModel):
    """Whether a picture would be taken now, and how many are being read or wait."""

    status: Literal["ready", "busy"]
    asked: int


class Health(BaseModel):
    """The service is there."""

    status: Literal["ok"]
    version: str
    engine: str
    readers: int


class OneGlyph(BaseModel):
    """A glyph and the network to show it to."""

    model_config = ConfigDict(extra="forbid")
    glyph: GlyphText
    model: ModelName = DEFAULT


class OneUnit(OneGlyph):
    """A value of a layer: its map, row and column."""

    layer: Annotated[str, Field(max_length=16)]
    place: Annotated[tuple[int, int, int], Field(description="map, row, column")]


class Changes(OneGlyph):
    """Amounts of changes by name; `along` asks for the curve along one kind, null for all of them."""

    amounts: Annotated[dict[str, float], Field(max_length=16)] = {}
    along: Annotated[str, Field(max_length=16)] | None = None


class Correction(BaseModel):
    """A glyph and what it says."""

    model_config = ConfigDict(extra="forbid")
    glyph: GlyphText
    label: Annotated[str, Field(pattern=r"^([0-9]|none)$", description="0 to 9, or none")]


class KeptCorrection(BaseModel):
    """A corrected digit that is kept: by its name it can be taken back."""

    name: str
    label: str
    glyph: GlyphText


class Corrections(BaseModel):
    """How many corrections are kept, by label, and in which folder."""

    folder: str
    counts: dict[str, int]
    latest: list[KeptCorrection] = Field(description="the last of them, the newest first")


class Training(BaseModel):
    """What to train."""

    model_config = ConfigDict(extra="forbid")
    recipe: Literal[RECIPES] = "quick"  # type: ignore[valid-type]
    passes: Annotated[int, Field(ge=1, le=100)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class Tuning(BaseModel):
    """Which network to fine-tune on the corrections."""

    model_config = ConfigDict(extra="forbid")
    model: ModelName = DEFAULT


class TrainingState(_Answer):
    """The training that runs, or ran last."""

    state: JobState
    kind: Literal["train", "finetune"] | None = None
    mnist: bool = Field(description="whether MNIST is on this machine")
    recipes: list[str]
    events: int


class Kept(BaseModel):
    """The name under which a trained network can be asked for."""

    name: str
