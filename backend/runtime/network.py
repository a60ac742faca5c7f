"""Whether this process may go online. A job of Blender's may only where its start says so
(`--online`): what lies in its folder can't say it for itself. Standard library only.
"""

import os
import socket
import sys
from typing import Any

from ..protocol import SetupError

CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")
LOOKING_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_closed = False


def close() -> None:
    """From now on no connection leaves this process, whoever tries: ours or a package's. Sockets
    within the machine stay.
    """
    global _closed
    if not _closed:
        sys.addaudithook(_refuse)  # never taken off again: there is no way to
    _closed = True
    os.environ["HF_HUB_OFFLINE"] = "1"  # for what would only try in vain


def demand(what: str) -> None:
    """To be called before a download, and before a program is started that makes one. Raises
    SetupError where this process may not go online. `what` begins the sentence.
    """
    if _closed:
        raise SetupError(
            f"{what} needs the internet, and Blender is not allowed to go online.",
            "Allow it in Preferences > System > Network, or name a folder that holds the files.",
        )


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    goes_out = event in CONNECTING and arguments[0].family != getattr(socket, "AF_UNIX", None)
    if goes_out or event in LOOKING_UP:
        demand("A package of this job")
