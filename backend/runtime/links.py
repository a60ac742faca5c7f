"""Links inside a job's folder: a folder from elsewhere could send what is written, or cleared away,
to any other place; and pipes, which would be waited for. Standard library only.
"""

import os
from pathlib import Path

from ..protocol import InputError


def refuse(root: Path) -> None:
    """Raises InputError where anything that lies in the folder itself is neither a file nor a
    folder, or is a link (on Windows, a junction). Where the folder is missing, nothing is said.
    """
    try:
        names, place = sorted(os.listdir(root)), os.path.realpath(root)
    except OSError:
        return
    for name in names:
        if os.path.normcase(os.path.realpath(root / name)) != os.path.normcase(
            os.path.join(place, name)
        ):
            raise InputError(
                f"{name} in the job's folder {root} is a link to another place.",
                "Jobs are not run in such folders: remove the link, or start the job anew.",
            )
        if not (os.path.isfile(root / name) or os.path.isdir(root / name)):
            raise InputError(
                f"{name} in the job's folder {root} is neither a file nor a folder.",
                "Jobs are not run in such folders: remove it, or start the job anew.",
            )
