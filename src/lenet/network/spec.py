"""LeNet-5 of 1998 as data: the paper's numbers, its digit codes, and every network as a tuple of layer records.

"The paper" is LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86(11), 1998. This file imports nothing of ours: PyTorch, the NumPy engine, the
native engine, `lenet summary` and the exports all walk the records below, so a new network is a new row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

# The weights that read when none are named, and those that slide along a line.
DEFAULT, SLIDING_DEFAULT = "lenet5-hands", "lenet5-sweep"
# The weights that read lines as a whole.
LINE_DEFAULT = "lenet-line"
# The weights that say any printable sign: they are asked whether a digit may be a letter.
CHARACTERS_DEFAULT = "lenet5-characters"
# The weights that tell what a cell of a table holds.
CELL_DEFAULT = "lenet-cell"
# Section II.B: a 32x32 field; the background is -0.1, full ink 1.175, so that the mean is about 0.
INPUT_SIZE = 32
BACKGROUND = -0.1
FOREGROUND = 1.175
# Section III.A: MNIST's field, and the box that each digit was scaled into.
GLYPH_SIZE = 28
DIGIT_BOX = 20
# A 28x28 glyph whose centre of mass is at this index (0-based) stands where MNIST put it.
CENTRE_INDEX = 14
# Of networks made for reading: the eleventh output, and the label that it learns from.
NOT_A_DIGIT = 10

# The printable signs of ASCII that leave ink, in its order: what a network of characters may say.
PRINTABLE = "".join(map(chr, range(33, 127)))

DIGITS = "0123456789"

# What a column of a line network may say: digits, signs, a space between numbers, and what is passed over, as letters;
# behind these stands nothing.
LINE_LABELS = "0123456789.,:/-+=%()$€£ ~"
SPACE, PASSED_OVER = " ", "~"

# Equation 6 and appendix A: f(a) = A tanh(S a), so that f(1) = 1 and f(-1) = -1 to five digits.
SQUASH_AMPLITUDE = 1.7159
SQUASH_SLOPE = 2.0 / 3.0

# Table I: which S2 maps each of the 16 C3 maps sees.
TABLE_I: tuple[tuple[int, ...], ...] = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
# LeCun et al., NIPS 1989 (the paper's reference 35): which H2 maps each of the 12 H3 maps of LeNet-1 sees.
LENET1_TABLE: tuple[tuple[int, ...], ...] = (
    *((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1)),
    *((2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3)),
)

# Figure 3: one 7 wide, 12 high bitmap for each of the characters 32 to 127, as 12 bytes from the top row
# down, bit 6 leftmost, a set bit for ink. Character 127 is the blank "rubbish" class.
CODE_WIDTH, CODE_HEIGHT = 7, 12
FIRST_CHARACTER = 32
GLYPH_ROWS = """
    000000000000000000000000 0c0c0c0c0c0c0c000c0c0000 363636360000000000000000 0036367f7f367f7f36360000
    3e14143e773c1e17773e1400 7353760c0c18183765670000 3c6666663c3c6766663f0000 1e0e0e0c1800000000000000
    0306040c0c0c0c0c0c040603 3018080c0c0c0c0c0c081830 00086b3e1c771c3e6b080000 00000c0c3f3f0c0c00000000
    0000000000001e0e0e0c1800 000000007f7f000000000000 000000000000000c1e0c0000 0003070e0c0c0c0c1c383000
    3e001c3663636363361c0000 0c1c3c0c0c0c0c0c0c3f0000 3e003e6343061c30607f0000 7f03060c1e030303633e0000
    3e00003333736363673f0303 3e007f60603c1e03633e0000 1e3060607e736363733e0000 7f0303060c0c181818180000
    3e6363633e636363633e0000 3e676363673f0303063c0000 00000c1e0c00000c1e0c0000 00000c1e0c001e0e0e0c1800
    0003060c1830180c06030000 0000003f3f00003f3f000000 0030180c0603060c18300000 3e636303060c0c000c0c0000
    003e7f676f69696f703f0000 3e2263637f63636363630000 3e60607e73636363737e0000 3e00003f70606060703f0000
    3f03033f67636363673f0000 7f6160607c606060617f0000 3e3f3030307e303030300000 3e00003f606c6f6d613f0000
    636363637f63636363630000 1e0c0c0c0c0c0c0c0c1e0000 3e0c0c001c0c0c0c0c6c6e7e 7e6060666c78786c66630000
    6060606060606060617f0000 3e0000367f6b6b6363630000 3e00007e7363636363630000 3e00003e63636363633e0000
    3e00007e73636363737e6060 3e00003f67636363673f0303 7e6363637e7c666663630000 3e00003e633c1e03633e0000
    7f0c0c0c0c0c0c0c0c0c0000 3e00006363636363673f0000 3e00006363636336361c0800 3e00006363636b6b7f360000
    3e000063633e1c3e63630000 3e000063636363673f03633e 3e00007f060c1830607f0000 0f0c0c0c0c0c0c0c0c0c0f00
    0030381c0c0c0c0c0e070300 3c0c0c0c0c0c0c0c0c0c3c00 081c36630000000000000000 000000000000000000007f00
    1e1c1c0c0600000000000000 0000003e033f6363673f0000 6060607e73636363737e0000 0000003f70606060703f0000
    0303033f67636363673f0000 0000003e63637f60633e0000 1e333030307e303030300000 0000003e676363673f03633e
    6060607e7363636363630000 000c0c001c0c0c0c0c1e0000 000c0c001c0c0c0c0c6c6e7e 606060666c78786c66630000
    1c0c0c0c0c0c0c0c0c1e0000 000000367f6b6b6363630000 0000007e7363636363630000 0000003e63636363633e0000
    0000007e73636363737e6060 0000003f67636363673f0303 0000007e7360606060600000 0000003e633c1e03633e0000
    303030307f303030371e0000 0000006363636363673f0000 0000006363636336361c0800 0000006363636b6b7f360000
    00000063633e1c3e63630000 00000063636363673f03633e 0000007f060c1830607f0000 03060c0c061c1c060c0c0603
    000c0c0c0c0c0c0c0c0c0c00 30180c0c180e0e180c0c1830 00397f4e0000000000000000 000000000000000000000000
""".split()


def code(character: int) -> tuple[int, ...]:
    """Return the 84 values, +1 for ink and -1 for paper, row by row, of an ASCII code 32 to 127 (Fig. 3).

    Raises IndexError for another character.
    """
    if character < FIRST_CHARACTER:
        raise IndexError(f"character {character}: Fig. 3 has the codes 32 to 127")
    rows = bytes.fromhex(GLYPH_ROWS[character - FIRST_CHARACTER])
    return tuple(1 if row >> (CODE_WIDTH - 1 - x) & 1 else -1 for row in rows for x in range(CODE_WIDTH))


# LeNet-4 (section III.C.8) has about 17,000 parameters and 260,000 connections; its tables are not given, and a full
# 120-unit layer alone would have 48,120. Our choice: C3 with 60 kernels, as Table I, and C5 with 560 of its 1,920,
# four or five maps for a unit, 34 to 36 units for a map: 16,998 parameters and 258,306 connections.
LENET4_C3: tuple[tuple[int, ...], ...] = tuple(
    tuple(sorted((unit + (1 if unit < 8 else 3) * k) % 8 for k in range(4 if unit < 12 else 3))) for unit in range(16)
)
LENET4_C5: tuple[tuple[int, ...], ...] = tuple(
    tuple(sorted((unit + (1, 3, 5, 7)[unit // 16 % 4] * k) % 16 for k in range(5 if unit % 3 else 4)))
    for unit in range(120)
)

Activation = Literal["squash", "relu", "sigmoid", "none"]


@dataclass(frozen=True)
class Convolution:
    """(n, maps_in, h, w) -> (n, maps, h - size + 1, w - size + 1): a valid convolution, a bias, an activation.

    `table` names the input maps that each output map sees (all of them when None). A full connection is a
    convolution of the size of its input: that is what lets every network slide over a wider field. A kernel is as wide
    as high, or `width` wide; so many rows and columns of zeros are put around the input as `padding` says.
    """

    name: str
    maps: int
    size: int
    activation: Activation = "none"
    table: tuple[tuple[int, ...], ...] | None = None
    width: int = 0
    padding: tuple[int, int] = (0, 0)

    @property
    def kernel(self) -> tuple[int, int]:
        """How many rows and columns of each map a unit sees."""
        return self.size, self.width or self.size


@dataclass(frozen=True)
class Subsampling:
    """(n, maps, h, w) -> (n, maps, h // 2, w // 2) over 2x2 squares that do not overlap, then an activation.

    Of a line network the `window`, rows and columns, may be 2x1: the line stays as long as it is.

    "trainable" is the paper's S layer: the *sum* of the four, times one coefficient, plus one bias, per map
    (section II.B). "average" and "max" have no parameters. With `copies` c every map in gives c maps out, the first
    of all maps before the second of all: LeNet-4 has "8 subsampling maps connected in pairs" to 4.
    """

    name: str
    kind: Literal["trainable", "average", "max"]
    activation: Activation = "none"
    copies: int = 1
    window: tuple[int, int] = (2, 2)


@dataclass(frozen=True)
class Codes:
    """(n, 84, h, w) -> (n, k, h, w): minus the squared distance to the fixed code of each character (equation 7).

    The paper's RBF unit is a penalty, smaller for a better match; here a score is higher for a better one.
    """

    name: str
    characters: str = DIGITS


Layer = Convolution | Subsampling | Codes


@dataclass(frozen=True)
class Net:
    """A network: its public name, its layers in order, and the margin of its input that it never sees.

    A line network says one of `LINE_LABELS`, or nothing, in each of so many `columns` at each place of its output; the
    cell network scores each of `CELL_LABELS` there.
    """

    name: str
    layers: tuple[Layer, ...]
    about: str
    margin: int = 0
    columns: int = 0

    @property
    def reads_lines(self) -> bool:
        """Whether it reads a line as a whole."""
        return self.columns > 0

    @property
    def says_labels(self) -> bool:
        """Whether it says what stands in a line, by `LINE_LABELS`."""
        return self.reads_lines and self.outputs == self.columns * (len(LINE_LABELS) + 1)

    @property
    def signs(self) -> str:
        """What its outputs stand for, in order; of a network made for reading one more stands for none of them."""
        return PRINTABLE if self.says_characters else DIGITS

    @property
    def knows_none(self) -> bool:
        """Whether one output more says that something is none of its signs."""
        return self.outputs == NOT_A_DIGIT + 1

    @property
    def reads(self) -> bool:
        """Whether it is made for reading."""
        return self.knows_none or self.says_characters

    @property
    def says_characters(self) -> bool:
        """Whether it says any printable sign of ASCII."""
        return self.outputs == len(PRINTABLE)

    @property
    def outputs(self) -> int:
        """The number k of scores at each position."""
        last = self.layers[-1]
        if isinstance(last, Codes):
            return len(last.characters)
        if isinstance(last, Convolution):
            return last.maps
        raise TypeError(f"{self.name}: a network ends with a convolution or with codes")

    def with_activation(self, activation: Activation) -> Net:
        """Return this network with every activation that is not "none" replaced by this one."""
        return replace(
            self,
            layers=tuple(
                layer
                if isinstance(layer, Codes) or layer.activation == "none"
                else replace(layer, activation=activation)
                for layer in self.layers
            ),
        )


def _lenet5(
    activation: Activation,
    pooling: Literal["trainable", "average", "max"],
    table: tuple[tuple[int, ...], ...] | None,
    output: Layer,
) -> tuple[Layer, ...]:
    """Return the layers of Fig. 2; only the paper's trainable subsampling has an activation of its own."""
    after_pooling: Activation = activation if pooling == "trainable" else "none"
    return (
        Convolution("C1", 6, 5, activation),
        Subsampling("S2", pooling, after_pooling),
        Convolution("C3", 16, 5, activation, table),
        Subsampling("S4", pooling, after_pooling),
        Convolution("C5", 120, 5, activation),
        Convolution("F6", 84, 1, activation),
        output,
    )


_LINEAR = Convolution("output", 10, 1)


def _wider(c1: int, c3: int, output: Layer) -> tuple[Layer, ...]:
    """Return the layers of lenet5-modern with so many maps in C1 and C3, and 128 in C5 and F6."""
    return (
        Convolution("C1", c1, 5, "relu"),
        Subsampling("S2", "max"),
        Convolution("C3", c3, 5, "relu"),
        Subsampling("S4", "max"),
        Convolution("C5", 128, 5, "relu"),
        Convolution("F6", 128, 1, "relu"),
        output,
    )


NETS: dict[str, Net] = {
    net.name: net
    for net in (
        Net(
            "lenet5-1998",
            _lenet5("squash", "trainable", TABLE_I, Codes("output")),
            "the paper's: C3 by Table I, trainable subsampling, scaled tanh, fixed RBF codes",
        ),
        Net(
            "lenet5-1998-softmax",
            _lenet5("squash", "trainable", TABLE_I, _LINEAR),
            "the paper's with a linear output in place of the codes",
        ),
        Net(
            "lenet5-ascii",
            _lenet5("squash", "trainable", TABLE_I, Codes("output", PRINTABLE)),
            "the paper's with the codes of all 94 printable signs of ASCII",
        ),
        Net(
            "lenet5-ascii-softmax",
            _lenet5("squash", "trainable", TABLE_I, Convolution("output", len(PRINTABLE), 1)),
            "lenet5-ascii with a linear output in place of the codes",
        ),
        Net(
            "lenet5-dense",
            _lenet5("squash", "trainable", None, _LINEAR),
            'often called "historical" today: full C3, trainable subsampling, linear output',
        ),
        Net(
            "lenet5",
            _lenet5("squash", "average", None, _LINEAR),
            "the one everybody draws: full C3, average pooling, scaled tanh, linear output",
        ),
        Net(
            "lenet5-modern",
            _lenet5("relu", "max", None, _LINEAR),
            "ReLU, max pooling, linear output",
        ),
        Net(
            "lenet5-reader",
            _lenet5("relu", "max", None, Convolution("output", 11, 1)),
            'lenet5-modern with an eleventh output, "not a digit"',
        ),
        Net(
            "lenet5-wide",
            _wider(16, 48, Convolution("output", 11, 1)),
            "lenet5-reader with three times the maps, at six times the work",
        ),
        Net(
            "lenet5-large",
            _wider(24, 64, _LINEAR),
            "lenet5-modern with four times the maps: several of it taught lenet5-modern",
        ),
        Net(
            "lenet5-characters",
            _wider(24, 64, Convolution("output", len(PRINTABLE), 1)),
            "lenet5-large with an output for each of the 94 printable signs of ASCII",
        ),
        Net(
            "lenet1",
            (
                Convolution("H1", 4, 5, "squash"),
                Subsampling("H2", "trainable", "squash"),
                Convolution("H3", 12, 5, "squash", LENET1_TABLE),
                Subsampling("H4", "trainable", "squash"),
                Convolution("output", 10, 4, "squash"),
            ),
            "LeNet-1 of 1989: four layers on the central 28x28 of its input, squashed outputs",
            margin=2,
        ),
        Net(
            "lenet4",
            (
                Convolution("C1", 4, 5, "squash"),
                Subsampling("S2", "trainable", "squash", copies=2),
                Convolution("C3", 16, 5, "squash", LENET4_C3),
                Subsampling("S4", "trainable", "squash"),
                Convolution("C5", 120, 5, "squash", LENET4_C5),
                Convolution("output", 10, 1, "squash"),
            ),
            "LeNet-4 by its published totals; the tables of C3 and C5 are our choice",
        ),
    )
}


def _line_layers(*more: Layer) -> tuple[Layer, ...]:
    """Return the layers of the line network: the line stays long while its height goes, 32 rows to one.

    More layers may stand before the output.
    """
    return (
        Convolution("C1", 24, 5, "relu", padding=(2, 2)),
        Subsampling("S2", "max"),
        Convolution("C3", 64, 3, "relu", padding=(1, 1)),
        Subsampling("S4", "max"),
        Convolution("C5", 128, 3, "relu", padding=(1, 1)),
        Subsampling("S6", "max", window=(2, 1)),
        Convolution("C7", 128, 3, "relu", padding=(1, 1)),
        Subsampling("S8", "max", window=(2, 1)),
        Convolution("C9", 192, 2, "relu", width=3, padding=(0, 1)),
        Convolution("C10", 192, 1, "relu", width=5, padding=(0, 2)),
        Convolution("C11", 192, 1, "relu", width=5, padding=(0, 2)),
        *more,
        Convolution("output", 2 * (len(LINE_LABELS) + 1), 1),
    )


# What a cell of a table may hold, as the cell network says it: nothing; a number by hand; a mark that is no number; a
# number that is struck out; print; two numbers one over the other; or something that stands on its side or its head.
CELL_LABELS = ("empty", "number", "mark", "struck", "print", "overwritten", "turned")


def _cell_layers() -> tuple[Layer, ...]:
    """Return the layers of the cell network, those of the line network at an eighth of the work."""
    return (
        Convolution("C1", 16, 5, "relu", padding=(2, 2)),
        Subsampling("S2", "max"),
        Convolution("C3", 32, 3, "relu", padding=(1, 1)),
        Subsampling("S4", "max"),
        Convolution("C5", 48, 3, "relu", padding=(1, 1)),
        Subsampling("S6", "max", window=(2, 1)),
        Convolution("C7", 64, 3, "relu", padding=(1, 1)),
        Subsampling("S8", "max", window=(2, 1)),
        Convolution("C9", 96, 2, "relu", width=3, padding=(0, 1)),
        Convolution("output", len(CELL_LABELS), 1),
    )


# Networks that read a line as a whole: (n, 1, 32, W) -> (n, 2 * (labels + 1), 1, W // 4), two columns at each place;
# and the one that says what a cell holds.
LINE_NETS: dict[str, Net] = {
    net.name: net
    for net in (
        Net(
            "lenet-line",
            _line_layers(),
            "a space-displacement network of seven convolutions that reads a line as a whole, as section VII does",
            columns=2,
        ),
        Net(
            "lenet-line-long",
            _line_layers(Convolution("C12", 192, 1, "relu", width=5, padding=(0, 2))),
            "lenet-line with an eighth convolution, which sees more of the line",
            columns=2,
        ),
        Net(
            "lenet-cell",
            _cell_layers(),
            "a space-displacement network of five convolutions that says what a cell of a table holds",
            columns=1,
        ),
    )
}


def find_net(name: str) -> Net | None:
    """Return a network of either table by name; None: there is none."""
    return NETS.get(name) or LINE_NETS.get(name)
