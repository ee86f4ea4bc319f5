#!/usr/bin/env python3
"""Answers every GET with {name: {"class": …, "items": …}} as the hostile cases name classes.

status.py PORT FEEDMILL CONFIG_DIR; it asks `feedmill source list --json`."""
import http.server
import json
import subprocess
import sys

port, feedmill, folder = sys.argv[1:4]
CLASSES = {
    "": "ok", "empty": "not_a_feed", "unknown_format": "not_a_feed", "web_page": "not_a_feed",
    "login": "not_a_feed", "challenge": "not_a_feed", "broken": "parse",
}


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        command = [feedmill, "source", "list", "--json", "--config", folder + "/feedmill.toml"]
        rows = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        classes = {row["id"]: {"class": CLASSES.get(row["error_kind"], row["error_kind"]), "items": row["items"]} for row in rows}
        body = json.dumps(classes).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(port)), Answer).serve_forever()
