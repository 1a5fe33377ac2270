"""The tuned numbers of segmentation, a frozen set for each stage. docs/parameters.md has what each is worth."""

from __future__ import annotations

from dataclasses import dataclass

from lenet.tuned import tuned


@dataclass(frozen=True)
class BlurParams:
    """Writing that nobody can read (`candidates`)."""

    soft: float = tuned(3.0, "pixels", "writing with wider edges is too blurred ...")
    soft_share: float = tuned(0.2, "share of its height", "... if its edges are also wider than this")


@dataclass(frozen=True)
class ComponentParams:
    """Ink that hangs together, without frames and specks (`components`)."""

    speck: float = tuned(
        0.03,
        "share of the largest",
        "a component with less ink is a speck ...; a frame has more around it, an empty box less in it",
    )
    near: float = tuned(0.15, "share of the digit's side", "... unless it is so near to it ...")
    near_speck: float = tuned(0.008, "share of the largest", "... and has so much")
    dark: int = tuned(127, "levels of ink", "a pixel is dark above it", "shape")
    frame: float = tuned(
        0.9,
        "share of an edge of the page",
        "a frame runs along so much of it, and so much of a box's side is inked ...",
    )
    corner: float = tuned(
        0.08,
        "share of its box",
        "a frame's corners are looked for in squares so large; the paper's edge is so thick (heights of the others)",
    )
    slim: float = tuned(4.0, "times", "the paper's edge is so much longer than thick")
    enclosed: float = tuned(0.3, "share of a ring", "what a ring is drawn around is so large")
    thickest: float = tuned(0.15, "share of its side", "a box's side and a ring's line are no thicker")
    rounded: float = tuned(
        0.4,
        "share of its thickness",
        "its corners are round by so much, or two pixels; its sides stray by so much, and one pixel and a half",
    )


@dataclass(frozen=True)
class TextLineParams:
    """Lines of writing (`text_lines`)."""

    shared: float = tuned(
        0.35,
        "share of the lower one's height",
        "two components stand in one line; a small one belongs to a line so near",
    )
    inside: float = tuned(0.6, "share of its height", "what is so deep in the band of another line is part of it")
    stain: float = tuned(0.65, "heights of the line", "thicker ink is a stain (MNIST's boldest: 0.62)", "MNIST")
    comma: float = tuned(1.0, "heights of the line", "a comma is no higher (UNIPEN's: 0.8)")
    torn: float = tuned(2.0, "widths", "a digit that was torn across is no higher")
    speck: float = tuned(0.0025, "heights squared", "less ink is a speck: a dot of a twentieth of the height")
    filled: float = tuned(0.3, "share of its box", "a pale component counts for at least so much")
    beside: int = tuned(
        3,
        "components",
        "the last so many of a line tell whether another stands in it; and half a torn digit is of no more",
    )
    ridge: float = tuned(4.0, "heights squared", "keeps short numbers of uneven digits level, in strips too")
    steepest: float = tuned(1 / 3, "rows a column", "a line rises by no more")
    slant_from: float = tuned(-0.3, "columns a row", "the least slant that is tried")
    slant_to: float = tuned(1.0, "columns a row", "the largest")
    slant_step: float = tuned(0.1, "columns a row", "from one to the next", "time")
    upright: float = tuned(0.15, "a column a row", "a slant must pay by so much")
    columns: int = tuned(24, "columns a height", "of upright ink are counted, a pixel wide at least")


@dataclass(frozen=True)
class SeamParams:
    """Where connected ink may be cut (`seams`, `seams.cpp`)."""

    height: int = tuned(48, "pixels", "cuts are looked for at this height of a line", "time")
    stray: float = tuned(0.07, "heights of the line", "a seam strays no further from its column", "time")
    aside: float = tuned(0.12, "pixels of ink", "a step aside costs so much")
    astray: float = tuned(0.006, "pixels of ink", "a row so many columns astray costs so much for each")
    hole: float = tuned(0.2, "pixels of ink", "a pixel of paper that ink encloses costs so much")
    paper: float = tuned(0.4, "share of full ink", "paper has less")
    dearest: float = tuned(0.42, "heights of the line", "a seam through more ink is no cut")
    least_ink: float = tuned(0.04, "heights squared", "between two cuts there is so much: a 1 has three times as much")
    cuts: float = tuned(5.0, "cuts a height", "there are no more, and one")
    narrow: float = tuned(0.3, "heights of the line", "narrower ink is one digit at most")
    most_lean: float = tuned(0.8, "share of its width", "no more of a box is its slant's", "shape")


@dataclass(frozen=True)
class LatticeParams:
    """Runs of pieces that may be one digit (`lattice`, `lattice.cpp`)."""

    most_pieces: int = tuned(7, "pieces", "a digit is of no more, but for a whole component")
    widest: float = tuned(1.5, "heights of the line", "a digit is no wider, but for a whole component")
    gap: float = tuned(0.05, "heights of the line", "paper from top to bottom between pieces is a gap from there on")
    widest_with_gap: float = tuned(1.0, "heights of the line", "a digit with a gap is no wider")


@dataclass(frozen=True)
class GlyphParams:
    """A candidate's ink as MNIST would have made it (`glyphs`, `glyphs.cpp`)."""

    thinnest: float = tuned(1.8, "pixels of 20", "thinner strokes are thickened (MNIST's 1 %: 1.4)", "MNIST")
    thickest: float = tuned(5.2, "pixels of 20", "thicker strokes are thinned (99 %: 5.1)", "MNIST")
    thin_target: float = tuned(2.4, "pixels of 20", "what thickened strokes become (the median is 2.5)", "MNIST")
    thick_target: float = tuned(4.0, "pixels of 20", "what thinned strokes become", "MNIST")
    palest: float = tuned(190 / 255, "share of full ink", "paler digits are darkened: MNIST's have 193 of 255", "MNIST")
    half: float = tuned(0.5, "share of full ink", "a pixel is of a stroke above it", "shape")
    trace: float = tuned(
        0.1, "share of full ink", "a digit's box is around what has more; its level is that of pixels above it"
    )
    fine: int = tuned(8, "pixels a pixel", "strokes are thinned, thickened and measured at so fine a scale", "time")
    most_enlarged: int = tuned(500_000, "pixels", "ink is enlarged to no more to measure its strokes", "time")


@dataclass(frozen=True)
class StripParams:
    """A line to be read as a whole (`line_strips`)."""

    near: float = tuned(0.97, "share of the strip", "the height of the writing in the first view")
    far: float = tuned(0.84, "share of the strip", "the height of the writing in the second view")
    beside: float = tuned(0.35, "heights of the line", "so much is shown beside its ink: signs and their paper")


BLUR, COMPONENT, TEXT_LINE, SEAM = BlurParams(), ComponentParams(), TextLineParams(), SeamParams()
LATTICE, GLYPH, STRIP = LatticeParams(), GlyphParams(), StripParams()
