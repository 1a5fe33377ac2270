"""The tuned numbers of preprocessing, a frozen set for each stage. docs/parameters.md has what each is worth."""

from __future__ import annotations

from dataclasses import dataclass

from lenet.tuned import tuned


@dataclass(frozen=True)
class DecodeParams:
    """From a file to a grey page (`decode`)."""

    samples: int = tuned(20_000, "pixels", "colours are looked for on about so many", "time")
    least_colour: float = tuned(0.003, "share of pixels", "a picture has colours if so many are coloured")
    greyish: int = tuned(40, "levels", "a pixel is coloured if its channels differ by more")
    opaque: float = tuned(0.5, "alpha", "a pixel is opaque, and a picture mostly so, above it", "shape")
    middle_grey: int = tuned(128, "levels", "darker transparent ink lies on white, lighter on black", "shape")


@dataclass(frozen=True)
class ColourParams:
    """Ink that differs from its paper in colour alone (`colour`)."""

    samples: int = tuned(20_000, "pixels", "colours are looked at on about so many", "time")
    coloured: float = tuned(40.0, "levels", "ink differs by so much along the line through its and the paper's colour")
    as_light: float = tuned(0.3, "share of that", "and by less than this in grey")
    paper: float = tuned(235.0, "levels", "the grey that paper gets", "shape")
    ink: float = tuned(200.0, "levels", "ink is so much darker", "shape")


@dataclass(frozen=True)
class SheetParams:
    """A sheet of paper on a darker table (`paper`)."""

    looked_at: int = tuned(160, "pixels", "the longer side of the copy on which a sheet is looked for", "time")
    smallest: int = tuned(100, "pixels", "a page with a shorter side shows no table and no shadow", "shape")
    table: float = tuned(0.95, "share", "of the page's border, and of all around the sheet, is dark")
    solid: float = tuned(0.95, "share of its hull", "a sheet fills so much of it")
    straight: float = tuned(0.03, "share of its outline", "its four corners are found within it")
    large: float = tuned(0.15, "share of the page", "a sheet is no smaller")
    least_ink: float = tuned(0.001, "share of the sheet", "so much at least is dark: it is written on")
    most_ink: float = tuned(0.3, "share of the sheet", "and no more than this")
    lighter: float = tuned(30.0, "levels", "a sheet is so much lighter than the table")
    shaded: float = tuned(10.0, "levels", "writing on a small copy is so much darker than the paper, which is less")
    rim: float = tuned(0.03, "share of its side", "given up along the edges, where the table shines through")
    reach: float = tuned(0.125, "share of the longer side", "how far the sheet's paper is smoothed", "shape")


@dataclass(frozen=True)
class ShadowParams:
    """A shadow with a hard edge (`illumination`)."""

    dark: float = tuned(0.75, "share of the light", "strokes are darker than this")
    thickest: float = tuned(0.1, "share of the longer side", "no stroke is thicker")
    wider: float = tuned(2.5, "strokes", "a shadow is wider than so many")
    wide: float = tuned(0.04, "share of the longer side", "and than this")
    darker: float = tuned(0.12, "share of the paper", "a shadow takes so much light")
    shaded: float = tuned(0.03, "share of the page", "a shadow covers so much")
    lit: float = tuned(0.1, "share of the page", "and leaves so much of the paper lit")
    step: float = tuned(20.0, "levels", "light falls by so much at a hard edge")
    within: float = tuned(0.05, "share of the longer side", "so near: what takes longer is uneven light")
    hard: float = tuned(0.02, "share of the page", "so much of it is near a hard edge")
    table: float = tuned(0.28, "share of the paper's light", "what has less is a table")
    levels: int = tuned(12, "steps of light", "islands are looked for by so many", "time")
    island: float = tuned(0.02, "share of the page", "what is darker than all around it is bold writing from there on")
    fine: int = tuned(1200, "pixels", "the longer side of the copy on which light is found", "time")
    edge: int = tuned(2, "pixels", "so far around an edge the light is the darker side's", "shape")
    glare: float = tuned(1.05, "of the paper's light", "a lit pixel is no lighter")
    seen: float = tuned(0.01, "share of the page", "a table is worth a step from there on")


@dataclass(frozen=True)
class DropoutParams:
    """Two colours of ink, the pen's and the print's (`dropout`)."""

    least: float = tuned(35.0, "levels", "ink takes so much from the paper's light")
    share: float = tuned(0.3, "share of the darkest", "and so much of what that takes")
    darkest: float = tuned(99.5, "per cent", "of all pixels take less than the darkest")
    coloured: float = tuned(0.6, "share", "ink is coloured if one channel loses less of what another does")
    grey: float = tuned(0.75, "share", "and grey above this")
    some: float = tuned(0.04, "share of all ink", "each of two inks has so much")
    mixed: float = tuned(0.4, "share of an ink", "no more of it is beside the other: one pen's edge may be coloured")
    higher: float = tuned(1.3, "times", "the pen wrote so much higher than the print")
    spans: float = tuned(0.5, "share of the page", "a box is longer")
    hollow: float = tuned(0.12, "share of its box", "and filled by less")
    slim: float = tuned(7.0, "times", "a line is so much longer than thick")
    rim: float = tuned(0.04, "share of the page", "lines down are lines at its rim alone")
    straight: float = tuned(0.2, "share of a piece", "squares are straight across for so much of it")
    run: float = tuned(0.1, "share of the page", "for so far")
    mostly: float = tuned(0.5, "share of an ink", "a printer's is lines, boxes and squares for more")
    looked_at: int = tuned(300_000, "pixels", "two inks are looked for on about so many", "time")
    coarse: int = tuned(48, "pixels", "a side of the copy on which the paper's light is found", "time")
    fewest_pixels: int = tuned(8, "pixels", "smaller pieces tell nothing of the height of writing")
    most_ink: float = tuned(0.5, "share of the page", "a page has no more ink", "shape")
    edge: int = tuned(2, "pixels", "how far the soft edge of ink reaches", "shape")
    around: int = tuned(15, "pixels", "the paper laid over print is taken from so far around")


@dataclass(frozen=True)
class InkParams:
    """Paper and pen (`binarize`, `ink.cpp`)."""

    light_size: int = tuned(64, "pixels", "the longer side of the copy on which light is found", "time")
    rounds: int = tuned(2, "looks", "light is looked for between the strokes so often", "time")
    told_spread: float = tuned(15.0, "levels", "uneven light is told from there on")
    plane_rounds: int = tuned(12, "fits", "a plane of light is settled after so many at most", "time")
    settled: float = tuned(0.1, "levels", "or when no coefficient moves by more")
    fewest_weights: int = tuned(8, "pixels", "fewer fit no plane", "shape")
    least_scale: float = tuned(4.0, "levels", "what is nearer to the plane of light is paper")
    scale_sigmas: float = tuned(3.0, "standard deviations", "or than so many of the paper's own")
    least_weight: float = tuned(1e-3, "share of a window", "with less paper nothing is said of its light", "shape")
    light_window: float = tuned(0.1, "share of the longer side", "the standard deviation of the window of light")
    same_light: float = tuned(0.5, "levels", "light that differs by less is the same", "shape")
    small: int = tuned(48, "pixels", "a flat page up to this side has no room for a shadow")
    flat_share: float = tuned(0.35, "share of the page", "paper is flat if so much is of one grey")
    same_grey: int = tuned(2, "levels", "what differs by no more is one grey")
    samples: int = tuned(12_000, "pixels", "percentiles are taken from about so many", "time")
    least_contrast: float = tuned(12.0, "levels", "ink stands out of the paper by so much")
    least_sigmas: float = tuned(6.0, "standard deviations", "and by so many of the smoothed noise")
    least_noise: float = tuned(0.4, "levels", "less noise is a drawing's rounding: nothing is blurred")
    noise_floor: float = tuned(0.5, "levels", "and counts as so much", "shape")
    doubtful: float = tuned(0.05, "share", "light and dark ink are both likely if the weaker has more of the other")
    weak: float = tuned(0.28, "share of full ink", "a pixel is of a stroke above it, joined to a sure one")
    strong: float = tuned(0.5, "share of full ink", "a pixel is surely of a stroke above it", "shape")
    weak_sigmas: float = tuned(4.0, "standard deviations", "weak ink stands out by so many of the smoothed noise")
    pattern: float = tuned(85.0, "per cent", "of a page that is not flat is paper, with a printed pattern perhaps")
    over_pattern: float = tuned(1.4, "times", "weak ink stands out by so much more than that")
    weakest: float = tuned(0.45, "share of full ink", "but no more is asked of it")
    full: float = tuned(75.0, "per cent", "of the strokes' pixels stand out by less than full ink")
    darkest: float = tuned(95.0, "per cent", "stand out by less than the pen where print is paler")
    pale_print: float = tuned(1.5, "times", "print is paler if the pen is so much darker")
    steepest: float = tuned(75.0, "per cent", "of the rows have softer edges than the best quarter", "shape")
    share: int = tuned(85, "of 255", "a reduced pixel is of a stroke if so much of it was", "shape")
    rim: int = tuned(4, "pixels", "paper that is kept around the ink", "shape")


@dataclass(frozen=True)
class RuleParams:
    """Long thin straight ink (`ruled_lines`, `rules.cpp`)."""

    slimmest: int = tuned(14, "times", "a rule is so much longer than thick, which no stroke of a digit is")
    slim_side: int = tuned(7, "times", "the side of a box, which meets a rule at its end, is so much longer")
    steepest: float = tuned(0.1, "rows a column", "a rule rises by no more")
    least_share: float = tuned(0.6, "share of the page", "a rule runs along so much")
    gap: float = tuned(0.02, "share of the page", "no gap of it is longer")
    most_gaps: float = tuned(0.15, "share of the rule", "nor are all of them")
    times_height: float = tuned(1.4, "heights of writing", "a line is so long")
    beyond: float = tuned(0.25, "heights of writing", "writing ends no further beyond a line that spans it")
    short_line: float = tuned(3.0, "heights of writing", "a shorter line might be the joined bases of two 2s")
    out: float = tuned(0.08, "heights of writing", "and sticks out of the writing by so much")
    corner: float = tuned(0.04, "share of a line", "a side of a box meets it so near its end")
    near: int = tuned(4, "pixels", "or so near")
    stray: float = tuned(1.5, "pixels", "no pixel of a rule strays further from a straight line", "shape")
    stray_share: float = tuned(0.75, "share of its thickness", "or than this")
    thicker: float = tuned(1.5, "times", "where writing lies in a rule it is so much thicker")
    ragged: float = tuned(1.0, "pixels", "a pixel so near to a rule is its own ragged edge", "shape")
    least_width: int = tuned(24, "pixels", "a narrower page has no lines")
    least_height: int = tuned(8, "pixels", "nor has a lower one")
    samples: int = tuned(1000, "pixels", "a line is looked for through so many at most", "time")
    rounds: int = tuned(6, "lines", "and at most so many in one piece of ink", "time")
    thickest: int = tuned(64, "pixels", "so far from its middle its thickness is looked for", "time")
    fits: int = tuned(2, "fits", "a line is fitted anew to the ink that it found so often")
    paler: float = tuned(0.8, "share of the pen's ink", "a rule in another grey has less")
    closed: float = tuned(0.8, "heights of writing", "what one piece of ink lacks in a rule is shorter")
    hangs_on: float = tuned(0.04, "share of its ink", "so much hangs on to a line that stands apart")
    hatches: int = tuned(4, "lines", "fewer are no hatching")
    close: float = tuned(3.5, "thicknesses", "lines of hatching are nearer")
    run: int = tuned(12, "pixels", "shorter runs of ink are no part of a rule")
    run_share: float = tuned(0.06, "share of the page", "nor are these")
    tall: float = tuned(0.4, "share of the tallest", "a piece of writing is so high")
    speck: int = tuned(4, "pixels", "smaller pieces are specks")


@dataclass(frozen=True)
class UprightParams:
    """Thin straight ink that stands on a ruled line (`form_boxes`)."""

    least: float = tuned(0.25, "heights of writing", "an upright is so long at least")
    shortest: int = tuned(5, "pixels", "and so long")
    most: float = tuned(4.0, "heights of writing", "and so long at most", "time")
    tallest: float = tuned(2.0, "heights of writing", "if only the next line, which it leads to, tells what it is")
    wider: float = tuned(1.6, "times", "it is no wider than its line is thick by this")
    more: float = tuned(1.5, "pixels", "and this", "shape")
    apart: float = tuned(0.4, "heights of writing", "even uprights are so far apart")
    off: float = tuned(0.06, "share of that", "each is so near its place, but for a pixel")
    fewest: int = tuned(3, "uprights", "fewer are not even", "shape")
    share: float = tuned(0.75, "share of their places", "have one, and so many are alike")
    alike: float = tuned(0.8, "share of their length", "is the same")
    end: float = tuned(0.12, "share of how far they are apart", "they begin and end so near their line's ends")
    end_pixels: int = tuned(3, "pixels", "or so near", "shape")
    one_more: float = tuned(1.15, "times how far they are apart", "on squared paper one more would be off the page")
    most_uprights: int = tuned(40, "uprights", "pairs of the first so many are tried", "time")


@dataclass(frozen=True)
class WritingParams:
    """Large writing is reduced (`pipeline`)."""

    high_enough: int = tuned(44, "pixels", "writing of twice this height or more is reduced to one or two of it")
    large: int = tuned(250_000, "pixels", "a page of more is glanced at first", "time")
    glance: int = tuned(4, "pixels", "so many, across and down, are one at a glance", "time")
    coarse: int = tuned(200, "rows", "so many tell how high writing is", "time")
    line: float = tuned(0.25, "share of the page", "the lines of squared paper are so long")


DECODE, COLOUR, SHEET, SHADOW, DROPOUT = DecodeParams(), ColourParams(), SheetParams(), ShadowParams(), DropoutParams()
INK, RULE, UPRIGHT, WRITING = InkParams(), RuleParams(), UprightParams(), WritingParams()
