"""The tuned numbers of preprocessing, a frozen set for each stage. docs/parameters.md has what each is worth."""

from __future__ import annotations

from dataclasses import dataclass

from lenet.tuned import tuned


@dataclass(frozen=True)
class DecodeParams:
    """From a file to a grey page (`decode`)."""

    coloured: int = tuned(
        40, "levels", "a pixel is coloured if its channels differ by more, ink if it takes more of the paper's light"
    )


@dataclass(frozen=True)
class SheetParams:
    """A sheet of paper on a darker table (`paper`)."""

    looked_at: int = tuned(
        160,
        "pixels",
        "the longer side of the copy on which a sheet is looked for; rows that tell how high writing is",
        "time",
    )
    smallest: int = tuned(100, "pixels", "a page with a shorter side shows no table and no shadow", "shape")
    table: float = tuned(
        0.95, "share", "of the page's border, and of all around the sheet, is dark; a sheet fills so much of its hull"
    )
    straight: float = tuned(
        0.03,
        "share of its outline",
        "its four corners are found within it; of its side, given up along the edges, where the table shines through",
    )
    large: float = tuned(
        0.15, "share of the page", "a sheet is no smaller; of the longer side, how far its paper is smoothed"
    )
    least_ink: float = tuned(
        0.001,
        "share of the sheet",
        "so much at least is dark: it is written on; so much of a page with colours is coloured",
    )
    most_ink: float = tuned(0.3, "share of the sheet", "and no more than this")
    lighter: float = tuned(30.0, "levels", "a sheet is so much lighter than the table")


@dataclass(frozen=True)
class ShadowParams:
    """A shadow with a hard edge (`illumination`)."""

    dark: float = tuned(0.75, "share of the light", "strokes are darker than this")
    thickest: float = tuned(
        0.1,
        "share of the longer side",
        "no stroke is thicker; a shadow is wider than half of it, and its hard edge is narrower",
    )
    wider: float = tuned(2.5, "strokes", "a shadow is wider than so many")
    darker: float = tuned(
        0.12, "share of the paper", "a shadow takes so much light, and leaves so much of the page lit"
    )
    hard: float = tuned(
        0.02,
        "share of the page",
        "a shadow or a table covers so much, so much of it is near a hard edge; an island of light or dark is less",
    )
    table: float = tuned(0.28, "share of the paper's light", "what has less is a table")
    levels: int = tuned(12, "steps of light", "islands are looked for by so many", "time")
    fine: int = tuned(1200, "pixels", "the longer side of the copy on which light is found", "time")


@dataclass(frozen=True)
class DropoutParams:
    """Two colours of ink, the pen's and the print's (`dropout`)."""

    coloured: float = tuned(
        0.6,
        "share",
        "ink is coloured if one channel loses less of what another does; so much of it has no other beside it",
    )
    some: float = tuned(
        0.04, "share of all ink", "each of two inks has so much; and lines down are lines this near the rim"
    )
    higher: float = tuned(1.3, "times", "the pen wrote so much higher than the print")
    hollow: float = tuned(
        0.12,
        "share of its box",
        "a box that spans half the page is filled by less; squares are straight across for so much of their ink",
    )
    around: int = tuned(15, "pixels", "the paper laid over print is taken from so far around")


@dataclass(frozen=True)
class InkParams:
    """Paper and pen (`binarize`, `ink.cpp`)."""

    light_size: int = tuned(64, "pixels", "the longer side of the copy on which light is found, print's too", "time")
    rounds: int = tuned(
        2, "looks", "light is looked for between the strokes so often, and a line is fitted to its ink", "time"
    )
    plane_rounds: int = tuned(12, "fits", "a plane of light is settled after so many at most", "time")
    scale_sigmas: float = tuned(
        3.0,
        "standard deviations",
        "what is nearer to the plane of light, or to a third of the least contrast, is paper, and in no digit's box",
    )
    light_window: float = tuned(0.1, "share of the longer side", "the standard deviation of the window of light")
    same_light: float = tuned(
        0.4,
        "levels",
        "light that differs by less is the same; less noise is a drawing's rounding: nothing is blurred",
        "shape",
    )
    small: int = tuned(48, "pixels", "a flat page up to this side has no room for a shadow")
    flat_share: float = tuned(0.35, "share of the page", "paper is flat if so much is of one grey")
    same_grey: int = tuned(2, "levels", "what differs by no more is one grey")
    samples: int = tuned(
        12_000, "pixels", "percentiles are taken from about so many, and colours are looked for on them", "time"
    )
    least_contrast: float = tuned(
        12.0, "levels", "ink stands out of the paper by so much; light that is as uneven is told"
    )
    least_sigmas: float = tuned(6.0, "standard deviations", "and by so many of the smoothed noise")
    doubtful: float = tuned(0.05, "share", "light and dark ink are both likely if the weaker has more of the other")
    weak: float = tuned(
        0.28,
        "share of full ink",
        "a pixel is of a stroke above it, joined to a sure one; of print, too; ink of colour has less in grey",
    )
    strong: float = tuned(0.5, "share of full ink", "a pixel is surely of a stroke above it", "shape")
    weak_sigmas: float = tuned(4.0, "standard deviations", "weak ink stands out by so many of the smoothed noise")
    pattern: float = tuned(85.0, "per cent", "of a page that is not flat is paper, with a printed pattern perhaps")
    over_pattern: float = tuned(1.4, "times", "weak ink stands out by so much more than that")
    weakest: float = tuned(0.45, "share of full ink", "no more is asked of weak ink, whatever the pattern")
    full: float = tuned(
        75.0,
        "per cent",
        "of the strokes' pixels stand out by less than full ink; and of the rows have softer edges than the best",
    )
    darkest: float = tuned(
        95.0, "per cent", "of the strokes' pixels stand out by less than the pen, where print is paler"
    )
    pale_print: float = tuned(1.5, "times", "print is paler if the pen is so much darker")
    share: int = tuned(85, "of 255", "a reduced pixel is of a stroke if so much of it was", "shape")


@dataclass(frozen=True)
class RuleParams:
    """Long thin straight ink (`ruled_lines`, `rules.cpp`)."""

    slim_side: int = tuned(
        7,
        "times",
        "the side of a box is so much longer than thick, and print that is a line; a rule is twice that",
    )
    steepest: float = tuned(0.1, "rows a column", "a rule rises by no more, and leans by no more across writing")
    least_share: float = tuned(
        0.6,
        "share of the page",
        "a rule runs along so much, or so much of a line's rows if it crosses them; no digit covers so much of an edge",
    )
    gap: float = tuned(0.02, "share of the page", "no gap of it is longer")
    most_gaps: float = tuned(0.15, "share of the rule", "all of its gaps are no longer")
    times_height: float = tuned(1.4, "heights of writing", "a line is so long, a frame's longer side too")
    beyond: float = tuned(
        0.25,
        "heights of writing",
        "writing ends no further beyond a line that spans it; uprights are longer, and even ones further apart",
    )
    short_line: float = tuned(
        3.0,
        "heights of writing",
        "a shorter line might be the joined bases of two 2s; hatching is nearer than so many thicknesses",
    )
    corner: float = tuned(
        0.04,
        "share of a line",
        "a side of a box meets it so near its end; no more of its ink hangs on to one that stands apart; even uprights "
        "are so near their places, in shares of their distance, and a pixel",
    )
    stray: float = tuned(
        1.5,
        "pixels",
        "no pixel of a rule strays further from a straight line; an upright may be wider by as much",
        "shape",
    )
    stray_share: float = tuned(0.75, "share of its thickness", "or than this, of a thick one")
    thicker: float = tuned(
        1.5,
        "times",
        "where writing lies in a rule it is so much thicker; an upright is no wider than its line is thick by this",
    )
    ragged: float = tuned(1.0, "pixels", "a pixel so near to a rule is its own ragged edge", "shape")
    samples: int = tuned(2000, "pixels", "of a line tell where it goes, and of writing how it slants", "time")
    rounds: int = tuned(6, "lines", "are looked for in one piece of ink", "time")
    thickest: int = tuned(64, "pixels", "so far from its middle its thickness is looked for", "time")
    paler: float = tuned(0.8, "share of the pen's ink", "a rule in another grey has less")
    closed: float = tuned(0.8, "heights of writing", "what one piece of ink lacks in a rule is shorter")
    run: int = tuned(12, "pixels", "shorter runs of ink are no part of a rule; an empty box has sides of two")
    run_share: float = tuned(0.06, "share of the page", "nor are runs shorter than this")
    tall: float = tuned(
        0.4,
        "share of the tallest",
        "a piece of writing is so high; in lines of writing what is lower is a dot or a dash",
    )
    speck: int = tuned(3, "pixels", "smaller pieces are specks, and nobody can read fewer dark ones")


@dataclass(frozen=True)
class UprightParams:
    """Thin straight ink that stands on a ruled line (`form_boxes`)."""

    tallest: float = tuned(
        2.0,
        "heights of writing",
        "an upright is no longer if only the next line, which it leads to, tells what it is; twice this at most",
    )
    alike: float = tuned(0.8, "share of their length", "is the same; and so many places have one")
    most_uprights: int = tuned(40, "uprights", "pairs of the first so many are tried", "time")


@dataclass(frozen=True)
class WritingParams:
    """Large writing is reduced (`pipeline`)."""

    high_enough: int = tuned(44, "pixels", "writing of twice this height or more is reduced to one or two of it")
    least_side: int = tuned(5, "pixels", "nobody can read a digit with a smaller longer side; nothing lower is cut")
    large: int = tuned(250_000, "pixels", "a page of more is glanced at first", "time")
    glance: int = tuned(4, "pixels", "so many, across and down, are one at a glance", "time")
    line: float = tuned(0.25, "share of the page", "the lines of squared paper are so long, printed in another ink too")


DECODE, SHEET, SHADOW, DROPOUT = DecodeParams(), SheetParams(), ShadowParams(), DropoutParams()
INK, RULE, UPRIGHT, WRITING = InkParams(), RuleParams(), UprightParams(), WritingParams()
