"""An HTTP proxy between the daemon and the simulator that does something at exactly the N-th request."""
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class KillingProxy:
    """Forwards everything unchanged (the Host header too, so that polling URLs come back through it). At request `at` it
    calls `kill` before forwarding (the request is lost), after Azure has answered (the answer is lost), or never (at=0)."""

    def __init__(self, target, at=0, after_answer=False, kill=None):
        self.at, self.after_answer, self.kill = at, after_answer, kill
        self.count, self.lock, self.reached = 0, threading.Lock(), threading.Event()
        host, port = target.removeprefix("http://").split(":")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with outer.lock:
                    outer.count += 1
                    mine = outer.count == outer.at
                if mine and not outer.after_answer:
                    outer.strike()
                    self.close_connection = True
                    return
                upstream = http.client.HTTPConnection(host, int(port), timeout=30)
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                content = answer.read()
                if mine:
                    outer.strike()
                    self.close_connection = True
                    upstream.close()
                    return
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)
                upstream.close()

            do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = do_HEAD = forward   # noqa: N815

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):   # the killed daemon's connection: expected
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def strike(self):
        if self.kill:
            self.kill()
        self.reached.set()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
