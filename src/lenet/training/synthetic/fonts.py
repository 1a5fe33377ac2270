"""The fonts that lines are printed and written with: pinned by package, version and checksum, never shipped."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FontKind = Literal["print", "hand"]
# Where fonts are looked for, in any folder below; $LENET_FONTS names another place.
_FOLDER = "/usr/share/fonts"


@dataclass(frozen=True)
class FontPackage:
    """A Debian package of fonts: its name and version, the licence, what they look like, and the files' SHA-256."""

    name: str
    version: str
    licence: str
    kind: FontKind
    files: dict[str, str]


@dataclass(frozen=True)
class Fonts:
    """The font files that are here, by kind, and the packages of which any is not, or is another version."""

    printed: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All files."""
        return self.printed + self.written


NO_FONTS = Fonts()


@cache
def find_fonts() -> Fonts:
    """Return this machine's fonts of `PACKAGES`, in their order."""
    folder = Path(os.environ.get("LENET_FONTS", _FOLDER))
    here = {path.name: path for path in sorted(folder.rglob("*.[to]tf"))}
    found: dict[FontKind, list[str]] = {"print": [], "hand": []}
    missing = []
    for package in PACKAGES:
        own = [here[name] for name, digest in package.files.items() if name in here and _digest(here[name]) == digest]
        found[package.kind] += map(str, own)
        if len(own) < len(package.files):
            missing.append(f"{package.name} {package.version}")
    return Fonts(tuple(found["print"]), tuple(found["hand"]), tuple(missing))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


PACKAGES: tuple[FontPackage, ...] = (
    FontPackage(
        "fonts-dejavu-core and fonts-dejavu-extra",
        "2.37-6",
        "Bitstream Vera and public domain",
        "print",
        {
            "DejaVuSans-Bold.ttf": "0d977336a6d5fba34eab8e3199eb218327161b5143749f802982c2bc34df0c96",
            "DejaVuSans-BoldOblique.ttf": "b7479266f14d71a019f79cb0ccc23acb6b130483317f7fff16182a0784031c9b",
            "DejaVuSans-ExtraLight.ttf": "af1ca215bce59dade18223e4591340f2a07d2e193a87356cd216fcc09da70f02",
            "DejaVuSans-Oblique.ttf": "eef1a593cc0a4654f147fd1aa9a11e7d327eb8be6f3a35099182db6aeb5d28fe",
            "DejaVuSans.ttf": "abdc775b21b1bc470d50c97e790d276f2054b7504e56e5bd3e64f48d68582322",
            "DejaVuSansCondensed-Bold.ttf": "6d2f2481e2aae944e8411cc5be515c69503ff7f5db52f2c67bcbe5d4de6bec13",
            "DejaVuSansCondensed-BoldOblique.ttf": "a0c1e726e901341f5b0a0ecae0696fef44de9a004768ba71d69909938caa1421",
            "DejaVuSansCondensed-Oblique.ttf": "e35007c431fa7d6c8c8b1aeac60bd68ac14869bb7ed70959c6f027e4cdfa8d35",
            "DejaVuSansCondensed.ttf": "2d8aa290adcf1ebcbb35f63e57cf32941b012eaab4b65096b904112cf3bac972",
            "DejaVuSansMono-Bold.ttf": "2964f6dac8e6e9d71613928340f17bf868e9ea51692cca333c79e74962f02233",
            "DejaVuSansMono-BoldOblique.ttf": "97a099e700f0e0a4f0078c04a970686595c9a6049b5a1defbd22362e20ae1fcf",
            "DejaVuSansMono-Oblique.ttf": "db15e83c273e57cd52731c10ebb5b6bbcb0b3e9e5860dec33a66b60a5294f2df",
            "DejaVuSansMono.ttf": "0f5db4f1749979d961019838b160bec74abdf7f9eca69553fe1aa856bbff49a4",
            "DejaVuSerif-Bold.ttf": "e2fd85eba2de65ac270d1cdb1685e252eb827f600850cf62af2d20c41b22e945",
            "DejaVuSerif-BoldItalic.ttf": "c84b722b8da77cb96873a801c9ad1bc3b75d0c847c718696898878f33186c657",
            "DejaVuSerif-Italic.ttf": "889a2b9daff9f091f7cf1ff6c88e5c1a5b55b3afb221571393ccb71ec9301ec9",
            "DejaVuSerif.ttf": "13e61509f5c81d7c3132810f4f903e3523df89c802bf6e0674621e8f659cdfe1",
            "DejaVuSerifCondensed-Bold.ttf": "9432825f095d7bdc4fb445d60b7a91f326e212d041f88cf0c651801f6b7f5668",
            "DejaVuSerifCondensed-BoldItalic.ttf": "66b389de31f2a2f64110b9a5da006e3a3e903ead43a3fdbaa91c130ded9d1a8c",
            "DejaVuSerifCondensed-Italic.ttf": "c1670c8a103e28767d44c94203a15975bee1cf04c40caffd4a5349b90a779cd0",
            "DejaVuSerifCondensed.ttf": "1b3f7840572a81733df8f7a82176d61c19b43c2b110e380bac7ee07e9ac6a66b",
        },
    ),
    FontPackage(
        "fonts-liberation",
        "1:1.07.4-11",
        "GPL 2 with the font exception",
        "print",
        {
            "LiberationMono-Bold.ttf": "267ae0b63fc67980d11fc4cbb630de84d845c6bf350988ec56766baf98706b8b",
            "LiberationMono-BoldItalic.ttf": "c8f21356b3948b9ae2858b82a5514a8384c53847fde1f9ecd38cb6849582f864",
            "LiberationMono-Italic.ttf": "8d39f087bf0d103586624233981c048818e1d4bcb74e4c5ca96a34f6caed583d",
            "LiberationMono-Regular.ttf": "a2e642d350acb1c5e368f375db8a4ef5a2f4ff2b79056d8c3be8bd8a7e9fcb44",
            "LiberationSans-Bold.ttf": "361c61b82d575c5c35fd9157fda8b0194bcfcd0d88ea8521a4fb5dd53d33dddc",
            "LiberationSans-BoldItalic.ttf": "a224075ac17495ad0a3af3bc0a419ac0704a8b3fd1095456201fb9b095fc281d",
            "LiberationSans-Italic.ttf": "832b4406dbef23628800d3aaad21048534ac84d7e3ad955be83b8172ed8ef512",
            "LiberationSans-Regular.ttf": "f8ace1f892b2bd9dc1792ba7f097fa7588f84fed48321480e04de5390828221f",
            "LiberationSansNarrow-Bold.ttf": "f77fe6ca01c8b043b99743fad34954c53d625263c076aa844c5a5dbf568743ab",
            "LiberationSansNarrow-BoldItalic.ttf": "822ef9cfc11f1409f27611f8d128d67105da5ea616f4010b2ab9af76413bda7e",
            "LiberationSansNarrow-Italic.ttf": "a48c86c13c247fbcf3cdbe9bed3e5abcfa6e91a8f61f3ae190a5893885266e59",
            "LiberationSansNarrow-Regular.ttf": "ab9719545aeb24156c462601f92bf4897130beaac59ad79bea7da264bce69b19",
            "LiberationSerif-Bold.ttf": "af228b9de767e5162168e433351b3d0e086648219c6c12ed888fba0bda3694d5",
            "LiberationSerif-BoldItalic.ttf": "19c8cef87d61197323b0501d0f8676669489658f23417ca661de18d85755af06",
            "LiberationSerif-Italic.ttf": "ccd19036f8e8599e920345105df8d21eb27a66b700ac23968fb14d70259ddb1e",
            "LiberationSerif-Regular.ttf": "1c9c77c2cd0f3c2d2aeef53ea50a4d5d3d684ac73a431d7c70d7864887d194a3",
        },
    ),
    FontPackage(
        "fonts-courier-prime",
        "0+git20190115-3",
        "OFL 1.1",
        "print",
        {
            "Courier Prime Bold Italic.otf": "04d80e34d0b49971936dd4dfdf13819d4157fdd27de88cdc515858883947d7b9",
            "Courier Prime Bold.otf": "a414b06c018ed4b65c407da05ac54f93cdaf375570480b7e466220db6edc5ce0",
            "Courier Prime Code Italic.otf": "7b126173f225e8b3c6f1f9f0ef3b0f0d9ca9b59c9832b96ea89609fad951885e",
            "Courier Prime Code.otf": "5f663cbab99ad7702065e1c9366924777d26f2ad580aa67b1314368889ba7c11",
            "Courier Prime Italic.otf": "ed03bb16a1088b85d61b3b4588c868c3236aa8494ea4f3c707a16b5a1c7164a4",
            "Courier Prime.otf": "26bb2ce38aa96cdc76077fbd64017beb3adc8177f84ec1e6015831d038bc0585",
        },
    ),
    FontPackage(
        "fonts-breip",
        "1:0.5.1-3",
        "OFL 1.0",
        "hand",
        {
            "Breip.ttf": "cded2aeeeb7d35baa8aa5b57df35a25836910498271d3d2eec502f6aa7033eb7",
        },
    ),
    FontPackage(
        "fonts-comic-neue",
        "2.51-4",
        "OFL 1.1",
        "hand",
        {
            "ComicNeue-Bold.otf": "0637fea8f858cd1d9a6e0ff786bed3d8cc2dc59b871a28e268a5a0106f052a92",
            "ComicNeue-BoldItalic.otf": "317338fd1611f4a18476b5fbbeea367816c6663c6e973e770f1b281fcc90fed4",
            "ComicNeue-Italic.otf": "e5b8b4c03b0a93b058038401f722074cef03da066a8653d92436e8ee597cbc53",
            "ComicNeue-Light.otf": "2b8a7a8c1a6b670a9ca2673bec28affd02d411415dc763648386c8b0bb165006",
            "ComicNeue-LightItalic.otf": "3b747803d67a741e981d4b66fa64ba685848b8bba24b66a4bd8d03ad6548cb86",
            "ComicNeue-Regular.otf": "2728ee8f303e31934e62bf27b044fd7657b0613412d51f7444db1078cc3a7cb2",
        },
    ),
    FontPackage(
        "fonts-dancingscript",
        "1.2-2",
        "OFL 1.1",
        "hand",
        {
            "DancingScript-Bold.otf": "0ef9febbf9cf763e47b51170bc74c5ac0e0cc65918469ec6521729ce11dacd46",
            "DancingScript-Regular.otf": "38178945aaefdea573f4998d8b984985aaebb95964da337b23e77e682d7d3d17",
        },
    ),
    FontPackage(
        "fonts-ecolier-court",
        "1.00-6",
        "OFL 1.1",
        "hand",
        {
            "Ecolier-court.ttf": "bdbbded05cbb318d470d36475aefe2435847e025a2c7cd3610f8f13bf8e2a829",
        },
    ),
    FontPackage(
        "fonts-humor-sans",
        "1.0-4",
        "OFL 1.1",
        "hand",
        {
            "Humor-Sans.ttf": "2ded6a27448c9ed30aaff177744e2bcf1e52e0aab018b2a8be64565df633318f",
        },
    ),
    FontPackage(
        "fonts-kristi",
        "20101220-1",
        "OFL 1.1",
        "hand",
        {
            "Kristi.ttf": "6c14164cd50b52d03d88728971285fe1dbf0d6ee8af6d29274b5d5026a0fb622",
        },
    ),
)
