"""A web page opened from the disk in headless Chromium, over its DevTools pipe; its picture."""

import base64
import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backend.geometry.arrays import Pixels

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
FLAGS = (
    *("--headless=new", "--no-sandbox", "--hide-scrollbars", "--no-first-run"),
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--remote-debugging-pipe"),
)
PATIENCE = 240.0  # seconds, on a busy machine


@dataclass
class Browser:
    """Sends commands and keeps what the page asked the network for."""

    to: int
    of: int
    session: str = ""
    asked: list[str] = field(default_factory=list)  # addresses, but for data and blobs
    said: list[str] = field(default_factory=list)  # errors of the page
    _rest: bytes = b""
    _number: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer of a command; RuntimeError for a refusal."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(str(answer["error"]))
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self.of, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self._rest += data
        message, self._rest = self._rest.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            address = details["request"]["url"]
            if not address.startswith(("data:", "blob:")):
                self.asked.append(address)
        if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.said.append(json.dumps(details)[:600])

    def value(self, expression: str) -> Any:
        """What JavaScript in the page comes to, promises awaited."""
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        return result["result"].get("value")

    def picture(self) -> Pixels:
        """(H, W, 3) of the window."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@contextmanager
def opened(page: Path, width: int, height: int, query: str = "?noui&webgl") -> Iterator[Browser]:
    """The page in a window of that size, from the first frame that its viewer drew."""
    profile = page.parent / "browser"
    (theirs, to), (of, ours) = os.pipe(), os.pipe()
    # the browser reads from 3 and writes to 4
    script = f'exec "$@" 3<&{theirs} 4>&{ours}'
    command = ["bash", "-c", script, "bash", str(PROGRAM), *FLAGS, f"--user-data-dir={profile}"]
    child = subprocess.Popen(
        [*command, "about:blank"],
        pass_fds=(theirs, ours),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(ours)
    try:
        browser = Browser(to=to, of=of)
        _attach(browser, width, height)
        browser.call("Page.navigate", url=page.resolve().as_uri() + query)
        _wait(browser)
        yield browser
    finally:
        child.terminate()
        child.wait()
        os.close(to)
        os.close(of)


def _attach(browser: Browser, width: int, height: int) -> None:
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
    browser.session = attached["sessionId"]
    for domain in ("Page", "Network", "Runtime", "Log"):
        browser.call(f"{domain}.enable")
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=False,
    )
    hook = "window.firstFrame = () => { window.drawn = true; };"
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=hook)


def _wait(browser: Browser) -> None:
    until = time.monotonic() + PATIENCE
    while not browser.value("window.drawn === true && !!window.scrubTo"):
        if time.monotonic() > until:
            raise TimeoutError(f"the viewer drew nothing: {browser.said}")
        time.sleep(0.25)
