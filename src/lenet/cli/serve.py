"""`lenet serve`: the page and the HTTP interface."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where to listen; others than this machine need a token.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="LENET_TOKEN",
            help="What clients must send: Authorization: Bearer TOKEN. Other users of this machine can see it among its"
            " processes; LENET_TOKEN is not seen there.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which this machine may be called; repeatable."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Another site that may ask, such as https://example.org; repeatable."),
    ] = None,
    share: Annotated[
        bool,
        typer.Option(
            "--share", help="Let others in this network in: prints the address with its token, and a code for phones."
        ),
    ] = False,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="Behind a proxy, the path that it takes off, such as /lenet.")
    ] = "",
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A proxy whose X-Forwarded-For is believed; repeatable."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where corrections and trained networks are kept.", show_default="~/.local/share/lenet"
        ),
    ] = None,
) -> None:
    """Serve the page, and reading over HTTP, offline.

    On the page numbers are drawn, dropped and photographed.

    The address is printed when it is open; a line of JSON per request goes to stderr. Ctrl-C or SIGTERM finishes what
    runs, then leaves. The interface is described at /docs and /openapi.json.

    \b
    Examples:
      lenet serve --port 8080
      lenet serve --share
    """
    import secrets
    import sys
    from urllib.parse import quote

    from lenet.errors import LenetError, MissingExtra

    try:
        from lenet.serve import draw_code, find_own_address
        from lenet.serve import serve as start
    except ModuleNotFoundError as error:
        raise MissingExtra("lenet serve", str(error.name), "serve") from error
    if share and find_own_address() is None:
        raise LenetError("--share", "this machine is in no network", "connect it, or give --host and --token")
    if share:
        host, token = "0.0.0.0", token or secrets.token_urlsafe(16)

    def ready(address: str) -> None:
        """Print the address; of what is shared with its token, as a code too."""
        if share:
            address = f"{address}/#token={quote(token or '', safe='')}"
            print(draw_code(address), file=sys.stderr)
        print(address, flush=True)

    start(
        host,
        port,
        token,
        tuple(allow_host or ()),
        tuple(allow_origin or ()),
        folder,
        ready=ready,
        root_path=root_path,
        proxies=tuple(trusted_proxy or ()),
    )
