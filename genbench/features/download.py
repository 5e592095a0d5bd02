"""Weights that are too large to ship: fetched whole and with the right SHA-256, or not at all. Imports no torch."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from genbench.datasets.files.roots import weights_root
from genbench.errors import GenbenchError

BLOCK = 2**20
PATIENCE_SECONDS = 20.0

Progress = Callable[[int, int], None]
"""Hears how many bytes are there, and of how many."""


@dataclass(frozen=True)
class Download:
    """A file of weights: where it is from, what it is called here, its SHA-256, and how to do `without` fetching it.

    `needs` are a module without which the weights are of no use, and the extra that installs it.
    """

    url: str
    file: str
    sha256: str
    without: str
    needs: tuple[str, str] | None = None

    @property
    def lacking(self) -> str | None:
        """The extra that is still to be installed."""
        return self.needs[1] if self.needs is not None and find_spec(self.needs[0]) is None else None

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return weights_root() / self.file

    def fetch(self, progress: Progress) -> Path:
        """The file, fetched unless it is there; raises GenbenchError, a line, where that fails.

        Proxies are those of the environment: HTTPS_PROXY, NO_PROXY.
        """
        if self.path.is_file() and self._digest() == self.sha256:
            return self.path
        part = self.path.with_name(f".{self.file}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            digest = self._fetch(part, progress)
            if digest != self.sha256:
                raise GenbenchError(
                    f"What {self.url} gave is not the file: its SHA-256 is {digest}, not {self.sha256}. {self.without}"
                )
            part.replace(self.path)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and not isinstance(error, urllib.error.URLError) and error.filename:
                raise GenbenchError(
                    f"Can't write to {self.path.parent} ({error.strerror}). Name another folder: GENBENCH_CACHE=DIR"
                ) from error
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds what the server had to say
            reason = " ".join(str(getattr(error, "reason", "") or error).split()).rstrip(".") or type(error).__name__
            raise GenbenchError(f"{self.url} could not be fetched ({reason}). {self.without}") from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return self.path

    def _fetch(self, into: Path, progress: Progress) -> str:
        digest, done = hashlib.sha256(), 0
        opener = urllib.request.build_opener()  # with the proxies of now
        with opener.open(self.url, timeout=PATIENCE_SECONDS) as answer, into.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(BLOCK):
                file.write(block)
                digest.update(block)
                done += len(block)
                progress(done, total)
        if done < total:
            raise OSError(f"it broke off after {done:,} of {total:,} bytes")
        return digest.hexdigest()

    def _digest(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


INCEPTION = Download(
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    file="weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    without="Fetch it where you can, and name it: --inception-weights FILE, or GENBENCH_INCEPTION=FILE",
    needs=("torch_fidelity", "genbench[inception]"),
)
"""FID's InceptionV3, where torch-fidelity has it: 96 MB."""
