"""Stands in for the daemon behind a proxy: says what it was asked, and how much it was sent."""

import http.server
import os
import sys
import time


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: 1\n\n")
            self.wfile.flush()
            time.sleep(10)
        elif self.path == "/stop":
            self.say("")
            os._exit(0)
        else:
            header = {"/from": "X-Forwarded-For", "/host": "Host"}.get(self.path)
            self.say(self.headers.get(header, "") if header else "")

    def do_POST(self):
        left = whole = int(self.headers["Content-Length"])
        while left > 0 and (part := self.rfile.read(min(left, 1 << 20))):
            left -= len(part)
        self.say(str(whole - left))


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # The proxy hung up, as it may.


Server(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
