"""Where the public data sets come from: their files, their mirrors and their checksums, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["train images", "train labels", "test images", "test labels"]


@dataclass(frozen=True)
class Pinned:
    """A file's name (with .gz) and the MD5 sum that its bytes must have; None when nobody published one."""

    name: str
    md5: str | None


@dataclass(frozen=True)
class DataSource:
    """A data set: its files by role, the folders they are served from, and what the sums were taken of.

    `sums_of` is "content" (the decompressed bytes) or "file" (the .gz as served). `archive` names one zip
    that holds all the files. `transposed` sets store each image column by column.
    """

    name: str
    about: str
    terms: str
    mirrors: tuple[str, ...]
    files: dict[Role, Pinned]
    sums_of: Literal["content", "file"] = "file"
    archive: Pinned | None = None
    transposed: bool = False


def _files(names: tuple[str, str, str, str], sums: tuple[str | None, ...]) -> dict[Role, Pinned]:
    roles: tuple[Role, ...] = ("train images", "train labels", "test images", "test labels")
    return {role: Pinned(name, md5) for role, name, md5 in zip(roles, names, sums, strict=True)}


_CLASSIC = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)

SOURCES: dict[str, DataSource] = {
    source.name: source
    for source in (
        DataSource(
            "mnist",
            "70,000 handwritten digits (1998)",
            "CC BY-SA 3.0",
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            _files(
                _CLASSIC,
                (
                    "6bbc9ace898e44ae57da46a324031adb",
                    "a25bea736e30d166cdddb491f175f624",
                    "2646ac647ad5339dbf082846283269ea",
                    "27ae3e4e09519cfbb04c329615203637",
                ),
            ),
            sums_of="content",
        ),
        DataSource(
            "qmnist",
            "MNIST rebuilt, with its writers and 50,000 more test digits (2019)",
            "BSD-3-Clause",
            ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
            _files(
                (
                    "qmnist-train-images-idx3-ubyte.gz",
                    "qmnist-train-labels-idx2-int.gz",
                    "qmnist-test-images-idx3-ubyte.gz",
                    "qmnist-test-labels-idx2-int.gz",
                ),
                (
                    "ed72d4157d28c017586c42bc6afe6370",
                    "0058f8dd561b90ffdd0f734c6a30e5e4",
                    "1394631089c404de565df7b7aeaf9412",
                    "5b5b05890a5e13444e108efe57b788aa",
                ),
            ),
        ),
        DataSource(
            "fashion-mnist",
            "70,000 pictures of clothes in ten classes (2017)",
            "MIT",
            ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
            _files(
                _CLASSIC,
                (
                    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                    "25c81989df183df01b3e8a0aad5dffbe",
                    "bef4ecab320f06d8554ea6380940ec79",
                    "bb300cfdad3c16e7a12a480ee83cd310",
                ),
            ),
        ),
        DataSource(
            "kmnist",
            "70,000 cursive Japanese characters in ten classes (2018)",
            "CC BY-SA 4.0",
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
            _files(
                _CLASSIC,
                (
                    "bdb82020997e1d708af4cf47b453dcf7",
                    "e144d726b3acfaa3e44228e80efcd344",
                    "5c965bf0a639b31b8f53240b1b52f4d7",
                    "7320c461ea6c1c855c0b718fb2a4b134",
                ),
            ),
        ),
        DataSource(
            "emnist-digits",
            "280,000 handwritten digits of the same forms (2017)",
            "public domain",
            ("https://biometrics.nist.gov/cs_links/EMNIST/",),
            _files(
                (
                    "emnist-digits-train-images-idx3-ubyte.gz",
                    "emnist-digits-train-labels-idx1-ubyte.gz",
                    "emnist-digits-test-images-idx3-ubyte.gz",
                    "emnist-digits-test-labels-idx1-ubyte.gz",
                ),
                (None, None, None, None),
            ),
            archive=Pinned("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e"),
            transposed=True,
        ),
    )
}
