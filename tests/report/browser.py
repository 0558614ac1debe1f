"""A headless Chromium driven over a pipe (the DevTools protocol): opens a page and says what it did."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = """--headless --no-sandbox --disable-gpu --remote-debugging-pipe --hide-scrollbars --no-first-run
--disable-background-networking --disable-component-update --disable-sync"""
# The protocol speaks through the file descriptors 3 and 4, whatever numbers the pipes have here.
AS_THREE_AND_FOUR = """
import fcntl, os, sys
spare = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(spare[0], 3)
os.dup2(spare[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass
class Browser:
    """One tab. `requests`: the addresses it asked for since it was opened. `errors`: what went wrong in its scripts."""

    send: BinaryIO
    receive: BinaryIO
    session: str = ""
    sent: int = 0
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.sent += 1
        message: dict[str, Any] = {"id": self.sent, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.send.write(json.dumps(message).encode() + b"\0")
        self.send.flush()
        while (answer := self.read()).get("id") != self.sent:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def read(self) -> dict[str, Any]:
        text = bytearray()
        while (character := self.receive.read(1)) != b"\0":
            assert character, "the browser ended"
            text += character
        answer = json.loads(text)
        if answer.get("method") == "Network.requestWillBeSent":
            self.requests.append(answer["params"]["request"]["url"])
        if answer.get("method") == "Runtime.exceptionThrown":
            details = answer["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        return answer

    def open(self, page: Path, width: int, dark: bool = False, media: str = "") -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=page.absolute().as_uri())
        while self.read().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """A fresh browser with one tab, ended afterwards, or after a minute if it hangs."""
    assert CHROMIUM is not None
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", "about:blank"]
        starter = [sys.executable, "-c", AS_THREE_AND_FOUR, str(to_read), str(from_write), *command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(starter, pass_fds=(to_read, from_write), **quiet)
        hung = threading.Timer(60, process.kill)
        hung.start()
        os.close(to_read)
        os.close(from_write)
        with open(to_write, "wb") as send, open(from_read, "rb") as receive:
            tab = Browser(send, receive)
            yield attach(tab)
            tab.session = ""
            tab.call("Browser.close")
        process.wait()
        hung.cancel()


def attach(tab: Browser) -> Browser:
    targets = tab.call("Target.getTargets")["targetInfos"]
    page = next(target["targetId"] for target in targets if target["type"] == "page")
    tab.session = tab.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
    tab.call("Page.enable")
    tab.call("Network.enable")
    tab.call("Runtime.enable")
    return tab
