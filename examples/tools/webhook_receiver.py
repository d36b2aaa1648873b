"""
A receiver of Haikei's webhooks, as the webhook node of n8n and its like are one.

It believes what is signed with the secret that both sides know, takes each delivery once, and
prints it as one line of JSON.

    HOOK_SECRET=… python webhook_receiver.py 8800
"""

import json
import os
import sys
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from haikei.client import SignatureInvalid, verified

LARGEST = 1024 * 1024
REMEMBERED = 10_000


class Receiver(BaseHTTPRequestHandler):
    """Takes deliveries."""

    seen: ClassVar["OrderedDict[str, None]"] = OrderedDict()

    def do_POST(self) -> None:
        """Take one delivery, or refuse it."""
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST:
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        try:
            told = verified(body, dict(self.headers.items()), os.environ["HOOK_SECRET"])
        except SignatureInvalid as error:
            sys.stderr.write(f"refused: {error}\n")
            self._answer(401)
            return
        delivery = self.headers.get("haikei-delivery", "")
        if delivery not in self.seen:
            self.seen[delivery] = None
            while len(self.seen) > REMEMBERED:
                self.seen.popitem(last=False)
            sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8800
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
        sys.stderr.write(f"listening on {server.server_address[1]}\n")
        sys.stderr.flush()
        server.serve_forever()
