"""Video and sound files from outside, the one place where FFmpeg opens them: ordinary files, in
containers that films and sounds come in. Playlists, which name other files and addresses in the
net, are none.
"""

import os
from pathlib import Path

import av

from ..formats.gate import check_file

# FFmpeg's names of what is read; its lists of files (hls, concat, dash, sdp, …) stay out
CONTAINERS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts"),
    *("mpegvideo", "m4v", "h261", "h263", "h264", "hevc", "vvc", "av1", "obu", "ivf", "evc"),
    *("vc1", "dirac", "dnxhd", "mjpeg", "mjpeg_2000", "yuv4mpegpipe", "dv", "mxf", "gxf", "nut"),
    *("flv", "live_flv", "asf", "asf_o", "rm", "swf", "wtv", "nsv", "cine", "ogg", "gif", "apng"),
    *("wav", "w64", "aiff", "caf", "au", "voc", "mp3", "aac", "flac", "ac3", "eac3", "dts"),
    *("dtshd", "truehd", "mlp", "amr", "amrnb", "amrwb", "ape", "tta", "wv", "mpc", "mpc8"),
    *("tak", "loas", "latm", "gsm", "qcp", "sbc", "dsf", "iff", "ircam", "sox", "rso", "shn"),
)
ONLY_FILES = {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINERS)}
BROKEN_MEDIA = (
    *(av.FFmpegError, OSError, ValueError, OverflowError, TypeError, IndexError),
    *(AttributeError, ZeroDivisionError, RuntimeError, NotImplementedError, EOFError),
)


def open_media(path: Path) -> av.container.InputContainer:
    """The container; for a `with` block.

    Raises:
        InputError: it is no ordinary file.
        BROKEN_MEDIA: FFmpeg makes nothing of it.
    """
    check_file(path)
    return av.open(os.path.abspath(path), "r", options=ONLY_FILES)
