"""Stands in for listmonk: takes what its documentation says of an import into the blocklist and of blocking by a query, and refuses everything else.

Writes its port to standard output. There are three subscribers. Who may ask is `suppressd`, with the token `secret`.
"""

import csv
import email.policy
import io
import json
import re
from base64 import b64encode
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, HTTPServer

AUTHORIZATION = "Basic " + b64encode(b"suppressd:secret").decode()
PARAMETERS = {"mode": str, "delim": str, "lists": list, "overwrite": bool}

# How often an import is asked after until it has ended.
POLLS = 2


class Refused(Exception):
    pass


class Listmonk(BaseHTTPRequestHandler):
    subscribers = {"alice@example.com": "enabled", "gone@example.com": "enabled", "anybody@traps.example": "enabled"}
    state = {"name": "", "total": 0, "imported": 0, "status": "none"}
    emails, polls = [], 0

    def do_GET(self):
        self.answer({"/api/import/subscribers": self.progress, "/api/subscribers?page=1&per_page=100": self.listing})

    def do_POST(self):
        self.answer({"/api/import/subscribers": self.start})

    def do_PUT(self):
        self.answer({"/api/subscribers/query/blocklist": self.block})

    def answer(self, served):
        try:
            if self.headers["Authorization"] != AUTHORIZATION:
                raise Refused(403, "invalid API credentials")
            if self.path not in served:
                raise Refused(404, "there is no such thing")
            code, content = 200, {"data": served[self.path]()}
        except Refused as refused:
            code, content = refused.args[0], {"message": refused.args[1]}
        body = json.dumps(content, separators=(",", ":")).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def form(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        if message.get_content_type() != "multipart/form-data":
            raise Refused(400, "no form")
        return {part.get_param("name", header="Content-Disposition"): part for part in message.iter_parts()}

    def block(self):
        if self.headers["Content-Type"] != "application/json":
            raise Refused(400, "no JSON")
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        query = re.fullmatch(r"subscribers\.email LIKE '%(@[^'%_\\]+)'", request.pop("query"))
        if query is None or request:
            raise Refused(400, "invalid query")
        matched = [address for address in self.subscribers if address.endswith(query[1])]
        self.subscribers.update(dict.fromkeys(matched, "blocklisted"))
        return True

    def start(self):
        if self.state["status"] == "importing":
            raise Refused(400, "an import is already running")
        form = self.form()
        parameters = json.loads(form["params"].get_payload(decode=True))
        if {name: type(value) for name, value in parameters.items()} != PARAMETERS or parameters["mode"] != "blocklist":
            raise Refused(400, "invalid parameters")
        if not form["file"].get_filename().endswith(".csv"):
            raise Refused(400, "no CSV")
        rows = list(csv.DictReader(io.StringIO(form["file"].get_payload(decode=True).decode()), delimiter=parameters["delim"]))
        Listmonk.emails, Listmonk.polls = [row["email"] for row in rows], 0
        Listmonk.state = {"name": form["file"].get_filename(), "total": len(rows), "imported": 0, "status": "importing"}
        return self.state

    def progress(self):
        Listmonk.polls += 1
        if self.state["status"] == "importing" and self.polls == POLLS:
            self.subscribers.update({address: "blocklisted" for address in self.emails})
            self.state.update(status="finished", imported=len(self.emails))
        return self.state

    def listing(self):
        results = [{"id": number, "email": address, "status": status, "lists": []}
                   for number, (address, status) in enumerate(self.subscribers.items(), 1)]
        return {"results": results, "query": "", "total": len(results), "per_page": 100, "page": 1}

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Listmonk)
print(server.server_port, flush=True)
server.serve_forever()
