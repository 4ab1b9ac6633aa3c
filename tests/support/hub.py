"""The plugin hub, served from the data beside the repository (MELTSHIM_SHARED)."""

import http.server
import threading

from support.paths import SHARED

# The data was written for a server at this address; the answers name the one that serves them.
ADDRESS_IN_DATA = b"127.0.0.1:8377"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        file = SHARED / "hub" / self.path.split("?")[0].strip("/")
        if ".." in file.parts or not file.is_file():
            self.send_error(404)
            return
        body = file.read_bytes().replace(ADDRESS_IN_DATA, self.server.address)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Tests read `requests` instead."""


class HubServer:
    """A hub at `url`; `requests` lists the paths it was asked for."""

    def __enter__(self) -> "HubServer":
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.address = b"127.0.0.1:%d" % self._server.server_port
        self._server.requests = self.requests = []
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
