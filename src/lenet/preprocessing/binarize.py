"""Paper and pen: from a grey page to how much ink each pixel holds. Polarity and light are found, not assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lenet.arrays import Bools, Float32, Uint8, contrast, percentile
from lenet.native.dispatch import REFERENCE, chosen_engine
from lenet.preprocessing.decode import Page
from lenet.preprocessing.morphology import EDGE, average_down, make_disc
from lenet.preprocessing.parameters import INK
from lenet.steps import Step

# Paper that is kept around the ink, in pixels: as far as its soft edges reach, on both sides.
_RIM = 2 * EDGE
# A window with less paper than this share has nothing to say of the light.
_NOTHING = 1e-3
# Slopes are taken over one pixel, or over more where they are so soft that a grey level a pixel is too coarse.
_FAR = (1, 4, 16)


@dataclass(frozen=True)
class Ink:
    """A page's ink: `levels` (H, W) uint8, 0 for paper and 255 for pen; `strokes` (H, W) bool, where ink is sure.

    Outside the strokes and their soft edges `levels` is 0. `noise` is the standard deviation of the paper in the unit
    of `levels`. `edge` is how far it is from paper to pen at the steepest edges across, in pixels: blur makes it wide.
    Where it is `ambiguous_polarity` if the pen is light or dark, as on a digit that was cut out tightly, it is worth
    looking at the page `inverted`.
    """

    levels: Uint8
    strokes: Bools
    noise: float
    steps: tuple[Step, ...]
    edge: float = 0.0
    ambiguous_polarity: bool = False


def find_ink(page: Page, *, inverted: bool = False) -> Ink:
    """Separate pen from paper. An empty page gives ink without a single stroke.

    With `inverted` the pen is taken to be light where it is likelier to be dark, and dark where it is likelier light.
    """
    engine = chosen_engine()
    if engine == REFERENCE:
        return reference_find_ink(page, inverted=inverted)
    from lenet.native import _native

    found = _native.find_ink(engine, np.ascontiguousarray(page.grey), inverted)
    levels, strokes, noise, edge, spread, sign, ambiguous = found
    steps = _note_light(sign, spread) if sign else ()
    return Ink(levels, strokes.view(bool), noise, steps, edge, ambiguous)


def _note_light(sign: int, spread: float) -> tuple[Step, ...]:
    """Say that the ink is light, and that the light was uneven, by so many grey levels."""
    steps = [Step("light-ink")] if sign > 0 else []
    if spread > INK.least_contrast:
        steps.append(Step("uneven-light-removed", {"grey_levels": round(spread)}))
    return tuple(steps)


def reference_find_ink(page: Page, *, inverted: bool = False) -> Ink:
    """Say in NumPy and OpenCV what `find_ink` does."""
    grey = page.grey.astype(np.float32)
    noise = _estimate_noise(grey)
    smooth, smooth_noise = _smooth(grey, noise)
    flat = _find_flat_paper(page.grey)
    light = _fit_plane(smooth) if flat is None else np.full_like(grey, flat)
    residual = smooth - light
    sign, ambiguous_polarity = _find_polarity(residual, smooth_noise)
    if not sign:
        return Ink(np.zeros_like(page.grey), np.zeros(grey.shape, bool), 0.0, ())
    sign = -sign if inverted else sign
    weak, strong = _threshold_ink(residual, smooth_noise, sign, flat=flat is not None)
    if flat is None or min(grey.shape) > INK.small:
        # Look again with the light taken from between the strokes, which follows shadows that a plane cannot.
        for _round in range(INK.rounds):
            slow = _estimate_slow_light(residual, strong)
            if float(np.abs(slow).max()) < INK.same_light:
                break
            local = light + cv2.resize(slow, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
            beyond = smooth - local
            if not ambiguous_polarity and _find_polarity(beyond, smooth_noise)[0] != sign:
                break
            again = _threshold_ink(beyond, smooth_noise, sign, flat=flat is not None)
            if not again[1].any():
                break
            light, residual, (weak, strong) = local, beyond, again
    strokes = _keep_connected(weak, strong)
    if not strokes.any():
        return Ink(np.zeros_like(page.grey), strokes, 0.0, ())
    full = max(INK.least_contrast, _measure_full_ink(residual[strokes] * sign))
    levels = np.zeros_like(page.grey)
    near = cv2.dilate(strokes.astype(np.uint8), make_disc(EDGE)) > 0
    inked = np.rint((grey[near] - light[near]) * np.float32(sign * 255 / full))
    levels[near] = np.clip(inked, 0, 255).astype(np.uint8)
    spread = percentile(_sample(light), 99) - percentile(_sample(light), 1)
    edge = _measure_edge(grey, strokes, full)
    return Ink(levels, strokes, noise * 255 / full, _note_light(sign, spread), edge, ambiguous_polarity)


def _measure_full_ink(inked: Float32) -> float:
    """Return how far full ink stands out of the paper, by how far the pixels of the strokes do, in grey levels.

    It is what strokes have without noise, for a speck of dust must not set the scale; where most of the ink is print
    that is clearly paler than the pen, squares for instance, it is the pen's.
    """
    usual, dark = percentile(inked, INK.full), percentile(inked, INK.darkest)
    return dark if dark > INK.pale_print * usual else usual


def crop_ink(ink: Ink) -> tuple[Ink, tuple[int, int]]:
    """Return the part of a page that has ink, with a rim of paper, and where its left and top are in the page.

    There is no rim where ink touches the page's edge: what follows can tell.
    """
    left, top, width, height = cv2.boundingRect(ink.strokes.view(np.uint8))
    if not width:
        return ink, (0, 0)
    bottom, right = top + height, left + width
    above, before = (_RIM if first else 0 for first in (top, left))
    below, behind = (_RIM if past < size else 0 for past, size in zip((bottom, right), ink.strokes.shape, strict=True))
    part = (slice(max(0, top - above), bottom + below), slice(max(0, left - before), right + behind))
    missing = (
        *(max(0, above - top), max(0, bottom + below - ink.strokes.shape[0])),
        *(max(0, before - left), max(0, right + behind - ink.strokes.shape[1])),
    )
    levels, strokes = (
        cv2.copyMakeBorder(np.ascontiguousarray(each[part]), *missing, cv2.BORDER_CONSTANT, value=0).astype(np.uint8)
        for each in (ink.levels, ink.strokes.view(np.uint8))
    )
    return replace(ink, levels=levels, strokes=strokes > 0), (left - before, top - above)


def reduce_ink(ink: Ink, factor: int) -> Ink:
    """Average ink down by a whole factor; a pixel is of a stroke if a third of it was."""
    if factor == 1:
        return ink
    levels, share = average_down(ink.levels, factor), average_down(ink.strokes.astype(np.uint8) * np.uint8(255), factor)
    return replace(ink, levels=levels, strokes=share >= INK.share, noise=ink.noise / factor, edge=ink.edge / factor)


def _measure_edge(grey: Float32, strokes: Bools, full: float) -> float:
    """Return how many pixels a stroke's steepest edge needs for `full` contrast, in the best quarter of rows."""
    step = max(1, grey.size // INK.samples)
    edge = 0.0
    for far in _FAR:
        inked = strokes[::step, far:]
        slopes = (np.abs(grey[::step, far:] - grey[::step, :-far]) * inked).max(axis=1, initial=0)[inked.any(axis=1)]
        if len(slopes):
            edge = max(edge, full * far / max(1.0, percentile(slopes, INK.full)))
        if edge < 3 * far:
            break
    return edge


def _estimate_noise(grey: Float32) -> float:
    """Estimate the standard deviation of the paper's noise in grey levels, blind to light and to edges.

    The mask of Immerkaer (1996), 1 -2 1 down and across, is zero on any plane and has gain 6 on white noise; the median
    ignores strokes.
    """
    if min(grey.shape) < 3:  # noqa: PLR2004
        return 0.0
    height, width = grey.shape
    inside = np.arange(0, (height - 2) * (width - 2), _choose_stride(height - 2, width - 2))
    y, x = np.divmod(inside, width - 2)
    down = [grey[y, x + beside] - 2 * grey[y + 1, x + beside] + grey[y + 2, x + beside] for beside in range(3)]
    return percentile(np.abs(down[0] - 2 * down[1] + down[2]), 50) / (0.6745 * 6)


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return every k-th value of a large array (H, W), row by row, enough for its percentiles."""
    return values.ravel()[:: _choose_stride(*values.shape)]


def _choose_stride(height: int, width: int) -> int:
    """Return which values of an array are taken: no two rows at the same columns, so that no squares come between."""
    stride = max(1, int(height * width / INK.samples))
    while gcd(stride, width) > 1:
        stride += 1
    return stride


def _smooth(grey: Float32, noise: float) -> tuple[Float32, float]:
    """Blur only as much as noise asks for; return the page and the noise that is left."""
    if noise < INK.same_light:
        return grey, max(noise, INK.same_light)
    return cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32), noise * 0.2821


def _find_flat_paper(grey: Uint8) -> float | None:
    """Return the grey of a drawn page's paper: the level that a large share of the pixels has, if there is one."""
    counts = np.bincount(_sample(grey), minlength=256)
    around = np.convolve(counts, np.ones(2 * INK.same_grey + 1, int), mode="same")
    paper = int(around.argmax())
    if around[paper] < INK.flat_share * counts.sum():
        return None
    near = counts[max(0, paper - INK.same_grey) : paper + INK.same_grey + 1]
    return float(max(0, paper - INK.same_grey) + near.argmax())


def _fit_plane(grey: Float32) -> Float32:
    """Fit a plane to the paper by repeated weighting that ignores ink (Tukey's biweight); same shape as `grey`."""
    height, width = grey.shape
    small = _shrink(grey)
    y, x = np.mgrid[: small.shape[0], : small.shape[1]].astype(np.float64)
    across, down = (x.ravel() + 0.5) / small.shape[1], (y.ravel() + 0.5) / small.shape[0]
    terms = np.stack([np.ones(small.size), across, down], axis=1)
    values = small.ravel().astype(np.float64)
    coefficients = np.array([percentile(values, 50), 0.0, 0.0])
    for _round in range(INK.plane_rounds):
        residual = values - terms @ coefficients
        scale = max(INK.least_contrast / INK.scale_sigmas, 1.4826 * percentile(np.abs(residual), 50) * INK.scale_sigmas)
        weight = np.maximum(1 - (residual / scale) ** 2, 0) ** 2
        if np.count_nonzero(weight) < len(coefficients):
            break
        weighted = terms * weight[:, None]
        found = np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
        moved = float(np.abs(found - coefficients).max())
        coefficients = found
        if moved < INK.same_light:
            break
    row = coefficients[1] * (np.arange(width) + 0.5) / width
    column = coefficients[2] * (np.arange(height) + 0.5) / height
    return (coefficients[0] + row[None, :] + column[:, None]).astype(np.float32)


def _shrink(grey: Float32, paper: Uint8 | None = None) -> Float32:
    """Average a page down to the size of the light's; what is not `paper` (1, or 0) counts as 0."""
    factor = max(grey.shape) / INK.light_size
    step = max(1, int(factor / 3))  # nine samples for a pixel are enough
    few = grey[::step, ::step]
    few = few if paper is None else few * paper[::step, ::step]
    if factor <= 1:
        return few
    size = (max(1, round(grey.shape[1] / factor)), max(1, round(grey.shape[0] / factor)))
    return cv2.resize(few, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _estimate_slow_light(residual: Float32, strong: Bools) -> Float32:
    """Return what is left of the light between the strokes, averaged over a wide window, at the light's size.

    Only what is surely ink is left out: a shadow that merely touches a stroke is light to be found.
    """
    paper = cv2.erode((~strong).astype(np.uint8), make_disc(EDGE + 1)).astype(np.uint8)
    known, residue = _shrink(paper.astype(np.float32)), _shrink(residual, paper)
    sigma = INK.light_window * max(known.shape)
    weight = cv2.GaussianBlur(known, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    total = cv2.GaussianBlur(residue, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.where(weight > _NOTHING, total / np.maximum(weight, _NOTHING), 0).astype(np.float32)


def _find_polarity(residual: Float32, noise: float) -> tuple[int, bool]:
    """Return the sign of the ink in a page without its light, and whether it might as well be the other one.

    It is +1 for light ink, -1 for dark and 0 for none. The ink is the side of the paper that stands out more strongly.
    """
    least = _least_contrast(noise)
    some = _sample(residual)
    for values in (some, residual) if some.size < residual.size else (residual,):
        # Cubes: a few dark strokes must outweigh a wide faint shadow.
        dark, light = (float((values[values * sign > least].astype(np.float64) ** 3).sum()) * sign for sign in (-1, 1))
        if dark or light:
            return (1 if light > dark else -1), min(dark, light) > INK.doubtful * max(dark, light)
    return 0, False


def _threshold_ink(residual: Float32, noise: float, sign: int, *, flat: bool) -> tuple[Bools, Bools]:
    """Find ink of a sign in a page without its light: where it may be, and where it surely is."""
    least, full = _least_contrast(noise), 0.0
    signed = residual * np.float32(sign)
    some = _sample(signed)
    for values in (some, signed) if some.size < signed.size else (signed,):
        above = values[values > least]
        if above.size:
            full = contrast(above)
            break
    weak = INK.weak * full
    if not flat:  # a pattern printed on the paper must not hang on to the strokes
        weak = min(max(INK.over_pattern * percentile(some, INK.pattern), weak), INK.weakest * full)
    return signed > max(weak, INK.weak_sigmas * noise), signed > max(INK.strong * full, least)


def _least_contrast(noise: float) -> float:
    return max(INK.least_contrast, INK.least_sigmas * noise)


def _keep_connected(weak: Bools, strong: Bools) -> Bools:
    """Return the weak ink that hangs together with strong ink."""
    inked = weak.view(np.uint8)
    left, top, width, height = cv2.boundingRect(inked)
    box = (slice(top, top + height), slice(left, left + width))
    connected = np.zeros_like(weak)
    if width:
        count, labels = cv2.connectedComponents(np.ascontiguousarray(inked[box]), connectivity=8)
        keep = np.zeros(count, bool)
        keep[labels[strong[box]]] = True
        keep[0] = False
        connected[box] = keep[labels]
    return connected
