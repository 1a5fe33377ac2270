from lenet.arrays import Bools, Float32, Float64, Int32, Int64, Uint8

def available() -> list[str]: ...
def names() -> dict[str, list[str]]: ...
def warp(instructions: str, inputs: Float32, distortions: Float32, warped: Float32) -> None: ...
def peak(instructions: str, threads: int) -> float: ...
def find_texts(
    log_probs: Float64, width: int, transitions: Int32 | None, accepting: Bools | None
) -> list[list[int]]: ...
def score_texts(log_probs: Float64, texts: list[tuple[int, ...]]) -> Float64: ...
def place_labels(log_probs: Float64, text: tuple[int, ...]) -> Int32: ...
def cut_line(
    levels: Uint8,
    labels: Int32,
    own: Int32,
    boxes: Int32,
    line: tuple[float, float, float, float],
    first: int,
    most: int,
    pieces: Int32,
) -> tuple[int, Int32, Int32, Float32]: ...
def estimate_slant(
    labels: Int32, own: Int32, boxes: Int32, slants: list[float], column: float, samples: int
) -> float: ...
def find_ink(instructions: str, grey: Uint8, inverted: bool) -> tuple[Uint8, Uint8, float, float, float, int, bool]: ...
def find_rules(strokes: Bools, slimmest: int) -> list[tuple[int, Uint8]]: ...
def follow_side(
    strokes: Bools, line: tuple[float, float, float], way: int, first: int, count: int, steps: int
) -> Int64: ...
def make_glyphs(
    instructions: str,
    levels: Uint8,
    pieces: Int32,
    clear: float,
    arcs: Int32,
    boxes: Int32,
    broader: Float64,
) -> Uint8: ...
def viterbi(
    nodes: int, sources: Int32, targets: Int32, labels: Int32, penalties: Float64
) -> tuple[float, list[int]]: ...
def forward(nodes: int, sources: Int32, targets: Int32, labels: Int32, penalties: Float64) -> Float64: ...
def posteriors(
    nodes: int, sources: Int32, targets: Int32, labels: Int32, penalties: Float64
) -> tuple[float, Float64]: ...
def text_penalty(
    nodes: int, sources: Int32, targets: Int32, labels: Int32, penalties: Float64, text: list[int]
) -> float: ...
def rank_texts(
    nodes: int, sources: Int32, targets: Int32, labels: Int32, penalties: Float64, followed: int, unlikely: float
) -> list[tuple[list[int], float]]: ...

class Network:
    def __init__(self, layers: list[tuple[object, ...]], margin: int) -> None: ...

class Model:
    def __init__(self, network: Network, parameters: Float32, instructions: str) -> None: ...
    def forward(self, inputs: Float32, scores: Float32, threads: int) -> bool: ...
    def score(self, glyphs: Uint8, levels: Float32, scores: Float32, threads: int) -> None: ...
    def activations(self, inputs: Float32) -> list[Float32]: ...

class LineModel:
    def __init__(
        self, layers: list[tuple[object, ...]], height: int, parameters: Float32, instructions: str
    ) -> None: ...
    def forward(self, inputs: Float32, scores: Float32, threads: int) -> bool: ...

class LineLearner:
    steps: int
    def __init__(
        self,
        layers: list[tuple[object, ...]],
        height: int,
        instructions: str,
        columns: int,
        decay: float,
        first: float,
        second: float,
        epsilon: float,
        longest_step: float,
        averaging: float,
    ) -> None: ...
    def step(
        self, inputs: Float32, columns: Int32, texts: Int32, lengths: Int32, rate: float, threads: int
    ) -> float: ...
    def get(self, part: str) -> Float32: ...
    def set(self, part: str, values: Float32) -> None: ...

class Patterns:
    def __init__(self, inputs: Float32, labels: Uint8) -> None: ...

class BatchLearner:
    steps: int
    def __init__(
        self,
        network: Network,
        instructions: str,
        loss: str,
        smoothing: float,
        junk: float,
        unit: float,
        batch: int,
        momentum: float,
        decay: float,
        nesterov: bool,
        averaging: float,
        dropout: list[float],
    ) -> None: ...
    def run(
        self,
        patterns: Patterns,
        order: Int32,
        distortions: Float32 | None,
        targets: Float32 | None,
        rates: Float32,
        first: int,
        noise: int,
        threads: int,
    ) -> tuple[float, int]: ...
    def get(self, part: str) -> Float32: ...
    def set(self, part: str, values: Float32) -> None: ...

class OnlineLearner:
    def __init__(
        self,
        network: Network,
        instructions: str,
        loss: str,
        smoothing: float,
        junk: float,
        unit: float,
        replicas: int,
    ) -> None: ...
    def run(
        self, patterns: Patterns, orders: Int32, distortions: Float32 | None, rates: Float32, threads: int
    ) -> list[tuple[float, int]]: ...
    def estimate(self, patterns: Patterns, orders: Int32, mu: float, threads: int) -> None: ...
    def get(self, part: str, replica: int) -> Float32: ...
    def set(self, part: str, replica: int, values: Float32) -> None: ...
