#!/usr/bin/env python3
"""Writes feedmill's config for the hostile upstream.

config.py SOURCES.tsv CONFIG_DIR PORT; the lines of SOURCES.tsv are name, url, category."""
import os
import sys

sources, folder, port = sys.argv[1:4]
os.makedirs(folder, exist_ok=True)
text = f"""[site]
title = "hostile"
contact = "https://news.example.org/bot"
url = "http://127.0.0.1:{port}/"
[store]
path = "../data/store"
cache = "16MiB"
keep_exports = 0
[output]
path = "../data/public"
[output.window]
items = 500
[serve]
listen = "127.0.0.1:{port}"
[control]
socket = "../data/control.sock"
[fetch]
# The deadline T and the cap B of the cases; one host stands for all upstreams.
timeout = "5s"
connect_timeout = "5s"
max_body = "8MiB"
max_bodies = "32MiB"
concurrency = 64
per_host = 64
host_spacing = "0ms"
allow = [{", ".join(f'"{net}"' for net in os.environ.get("HOSTILE_ALLOW", "127.0.1.1/32").split(","))}]
[poll]
min_interval = "1s"
interval = "5s"
"""
for line in open(sources):
    name, url, category = line.rstrip("\n").split("\t")
    text += f'[[source]]\nid = "{name}"\nurl = "{url}"\ncategory = "{category}"\n'
with open(os.path.join(folder, "feedmill.toml"), "w") as out:
    out.write(text)
