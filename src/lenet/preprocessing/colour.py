"""Ink that is as light as its paper and differs in colour alone: the colour becomes the grey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lenet.arrays import Float32, Uint8, contrast, median
from lenet.preprocessing.decode import LUMINANCE, Page
from lenet.preprocessing.parameters import DECODE, INK
from lenet.steps import Step


def use_colour_contrast(page: Page) -> Page:
    """Return a page whose grey is how far a pixel's colour is from the paper's, if its own grey shows no ink."""
    if page.colours is None:
        return page
    step = max(1, int((page.grey.size / INK.samples) ** 0.5))
    looks: Float32 = page.colours[::step, ::step].reshape(-1, 3).astype(np.float32)
    paper = np.array([median(each) for each in looks.T], np.float32)
    away = looks - paper
    axis = np.linalg.eigh(away.T @ away)[1][:, -1].astype(np.float32)
    along, grey = away @ axis, np.abs(away @ LUMINANCE)
    ink = contrast(np.abs(along)) if along.any() else 0.0
    if ink < DECODE.coloured or (grey.any() and contrast(grey) > INK.weak * ink):
        return page
    darker = -1 if (along**3).sum() > 0 else 1
    told = (page.colours.astype(np.float32) - paper) @ axis * np.float32(darker * 255 / ink)
    shown: Uint8 = np.clip(np.rint(255 + told), 0, 255).astype(np.uint8)
    return replace(page, grey=shown, colours=None, steps=(*page.steps, Step("colour-contrast")))
