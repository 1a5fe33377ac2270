"""Ink that is as light as its paper and differs in colour alone: the colour becomes the grey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lenet.arrays import Float32, Uint8, contrast
from lenet.preprocessing.decode import LUMINANCE, Page
from lenet.steps import Step

# Colours are looked at on about so many pixels.
_LOOKS = 20_000
# Ink differs from the paper by so many levels along the line through their colours, and by less than this share of it
# in grey.
_COLOURED, _AS_LIGHT = 40.0, 0.3
# Paper gets this grey, and ink is so much darker.
_PAPER, _INK = 235.0, 200.0


def use_colour_contrast(page: Page) -> Page:
    """Return a page whose grey is how far a pixel's colour is from the paper's, if its own grey shows no ink."""
    if page.colours is None:
        return page
    step = max(1, int((page.grey.size / _LOOKS) ** 0.5))
    looks: Float32 = page.colours[::step, ::step].reshape(-1, 3).astype(np.float32)
    paper: Float32 = np.median(looks, axis=0).astype(np.float32)
    away = looks - paper
    axis = np.linalg.eigh(away.T @ away)[1][:, -1].astype(np.float32)
    along, grey = away @ axis, np.abs(away @ LUMINANCE)
    ink = contrast(np.abs(along)) if along.any() else 0.0
    if ink < _COLOURED or (grey.any() and contrast(grey) > _AS_LIGHT * ink):
        return page
    darker = -1 if (along**3).sum() > 0 else 1
    told = (page.colours.astype(np.float32) - paper) @ axis * np.float32(darker * _INK / ink)
    shown: Uint8 = np.clip(np.rint(_PAPER + told), 0, 255).astype(np.uint8)
    return replace(page, grey=shown, colours=None, steps=(*page.steps, Step("colour-contrast")))
