"""Weights are fetched whole and with the right SHA-256, from a server on this machine, or a line says why not."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from genbench.errors import GenbenchError
from genbench.features import download, inception
from genbench.features.download import Download

CONTENT = bytes(range(256)) * 9_000


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: 1_000 if self.path == "/broken" else None])

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def of(address):
    digest = hashlib.sha256(CONTENT).hexdigest()
    return lambda path="/file", sha256=digest: Download(f"{address}{path}", "file.pth", sha256, "Bring it yourself.")


def quiet(done, total):
    pass


def test_file_is_fetched_once(of, own_cache):
    heard = []
    path = of().fetch(lambda done, total: heard.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert path == own_cache / "weights" / "file.pth"
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert of().fetch(lambda done, total: pytest.fail("fetched again")) == path
    assert [each.name for each in path.parent.iterdir()] == ["file.pth"]


def test_damaged_file_is_fetched_again(of):
    path = of().fetch(quiet)
    path.write_bytes(b"x")
    assert of().fetch(quiet).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "words"),
    [("/gone", r"Not Found"), ("/broken", r"broke off after 1,000 of|IncompleteRead"), ("/other", r"its SHA-256 is")],
)
def test_what_goes_wrong_is_a_line_and_leaves_nothing(path, words, of):
    wanted = of(path, "0" * 64) if path == "/other" else of(path)
    with pytest.raises(GenbenchError, match=words) as refused:
        wanted.fetch(quiet)
    assert str(refused.value).endswith("Bring it yourself.")
    assert "\n" not in str(refused.value)
    assert list(wanted.path.parent.iterdir()) == []


def test_without_a_network_and_behind_a_dead_proxy_it_is_a_line(of, monkeypatch):
    nobody = Download("http://127.0.0.1:9/file", "file.pth", "0" * 64, "Bring it yourself.")
    with pytest.raises(GenbenchError, match=r"could not be fetched \(\[Errno \d+\] Connection refused\)"):
        nobody.fetch(quiet)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(GenbenchError, match="could not be fetched"):
        of().fetch(quiet)


def test_file_that_cannot_be_kept_is_a_line(of, own_cache):
    own_cache.write_text("no folder")
    with pytest.raises(GenbenchError, match="Name another folder: GENBENCH_CACHE=DIR"):
        of().fetch(quiet)


def test_inception_finds_what_was_fetched(of, monkeypatch):
    monkeypatch.setattr(inception, "INCEPTION", of())
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    path = of().fetch(quiet)
    assert inception.weights() == path


def test_torch_fidelity_names_the_same_file():
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    assert download.INCEPTION.url == fidelity.URL_INCEPTION_V3
