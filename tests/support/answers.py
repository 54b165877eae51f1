"""A server that answers as it is told to, in segmentd's place."""

import http.server
import threading


class Server:
    """Answers like segmentd, and remembers what it was asked."""

    def __init__(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append((self.path, self.headers["Authorization"], self.headers["Accept"]))
                status, body = server.answers.pop(0) if server.answers else server.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *arguments):
                pass

        self.asked, self.answer = [], (200, "{}")
        self.answers = []  # Before that one.
        self.http = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.http.server_port
        self.url = "http://" + self.address
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.http.server_close()
