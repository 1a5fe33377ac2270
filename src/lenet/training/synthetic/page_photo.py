"""A scanner or a camera takes the picture of a flat page: perspective, bent paper, a table around it, light, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Float64, Uint8

# A photograph's longer side has so many pixels; so many dots an inch has a scan of A4, of the flat page's 150.
_PHOTO_SIDES, _DPI, _FLAT_DPI = (1300.0, 2600.0), (100, 120, 150, 200), 150


@dataclass(frozen=True)
class Photo:
    """A picture (h, w, 3) uint8 of a flat page, and where its points came to be."""

    picture: Uint8
    matrix: Float64
    bend: tuple[float, float, float]
    width: float

    def find(self, points: Float64) -> Float64:
        """Return where points (n, 2) of the flat page are in the picture."""
        bent = points + np.stack([np.zeros(len(points)), _bend(points[:, 0], self.bend, self.width)], axis=1)
        return np.asarray(cv2.perspectiveTransform(bent[None].astype(np.float64), self.matrix)[0])


def _bend(x: Float64 | Float32, bend: tuple[float, float, float], width: float) -> Float64:
    """Return by how much the paper is lower at x: half a wave of a height, and one that turns over."""
    high, turns, phase = bend
    return np.asarray(high * np.sin(np.pi * turns * x / width + phase), np.float64)


def photograph(page: Uint8, rng: np.random.Generator) -> Photo:
    """Take a picture of a page (H, W, 3): a photograph or a scan."""
    return _take_photo(page, rng) if rng.random() < 0.6 else _scan(page, rng)


def _take_photo(page: Uint8, rng: np.random.Generator) -> Photo:
    height, width = page.shape[:2]
    scale = float(rng.uniform(*_PHOTO_SIDES)) / height
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    angle = float(np.clip(rng.normal(0, 0.05), -0.2, 0.2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed = (corners - corners.mean(axis=0)) @ turn.T + rng.normal(0, 0.025, (4, 2)) * width
    placed *= scale
    margin = float(rng.uniform(-0.01, 0.1)) * height * scale
    low = placed.min(axis=0) - margin
    size = tuple(int(side) for side in np.ceil(placed.max(axis=0) - low + margin))
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), (placed - low).astype(np.float32))
    high = float(rng.normal(0, 0.006)) * height if rng.random() < 0.5 else 0.0
    bend = (high, float(rng.uniform(0.5, 2.2)), float(rng.uniform(0, np.pi)))
    back = np.linalg.inv(matrix)
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = ((back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth).astype(np.float32)
    v = ((back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth).astype(np.float32)
    v -= _bend(u, bend, width).astype(np.float32)
    soft = page if scale >= 1 else cv2.GaussianBlur(page, (0, 0), 0.4 / scale)
    seen = cv2.remap(soft, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    outside = (u < 0) | (v < 0) | (u > width - 1) | (v > height - 1)
    seen[outside] = rng.uniform(20, 140, 3).astype(np.float32)
    seen *= _light(size, rng)[..., None]
    seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.3, 1.1))).astype(np.float32)
    seen += rng.normal(0, float(rng.uniform(0.5, 6)), seen.shape[:2]).astype(np.float32)[..., None]
    return Photo(_compress(seen, int(rng.integers(40, 95))), np.asarray(matrix, np.float64), bend, width)


def _light(size: tuple[int, ...], rng: np.random.Generator) -> Float32:
    """Return how bright a picture of a size (width, height) is lit, (h, w): a gradient, perhaps a soft shadow."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.45)
    along = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle)
    light = float(rng.uniform(0.6, 1.0)) - fall * along / max(size)
    if rng.random() < 0.25:
        angle = rng.uniform(0, 2 * np.pi)
        across = (x - width * rng.uniform(0.2, 0.8)) * np.cos(angle) + (y - height * rng.uniform(0.2, 0.8)) * np.sin(
            angle
        )
        light *= 1 - rng.uniform(0.1, 0.4) / (1 + np.exp(-across / (max(size) * rng.uniform(0.01, 0.1))))
    return np.clip(light, 0.15, 1.05).astype(np.float32)


def _scan(page: Uint8, rng: np.random.Generator) -> Photo:
    height, width = page.shape[:2]
    scale = float(rng.choice(_DPI)) / _FLAT_DPI
    angle = float(rng.normal(0, 0.012))
    size = (round(width * scale), round(height * scale))
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(angle), 1.0)
    matrix = np.diag([scale, scale, 1.0]) @ matrix
    soft = page if scale >= 1 else cv2.GaussianBlur(page, (0, 0), 0.35 / scale)
    seen = cv2.warpPerspective(soft, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(250, 250, 250))
    values = seen.astype(np.float32) + rng.normal(0, float(rng.uniform(0, 4)), seen.shape[:2])[..., None]
    if rng.random() < 0.12:  # black and white, as fax machines and old scanners save
        black = values.min(axis=2) < rng.uniform(140, 205)
        values = np.repeat(np.where(black, 0.0, 255.0)[..., None], 3, axis=2)
    return Photo(_compress(values.astype(np.float32), int(rng.integers(50, 97))), matrix, (0.0, 1.0, 0.0), width)


def _compress(values: Float32, quality: int) -> Uint8:
    """Return values (h, w, 3) as JPEG leaves them."""
    whole = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    _done, coded = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.uint8)
