#!/usr/bin/env python3
"""Makes a site of feed documents and real articles for judge.py:

    make_site.py FEEDMILL OUT PARSE_FOLDER DATA_FOLDER

Serves the development half of the parse set on loopback, each document as a source of the category
of its group, imports the old posts of DATA_FOLDER, and publishes into OUT/data/public.
"""
import collections, http.server, json, pathlib, re, subprocess, sys, threading

feedmill, out, parse, data = sys.argv[1], *(pathlib.Path(p).resolve() for p in sys.argv[2:5])
entries = [e for e in json.loads((parse / 'manifest.json').read_text()) if e['half'] == 'dev']
documents = {f'/{n}': e for n, e in enumerate(entries)}


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        entry = documents.get(self.path)
        body = (parse / entry['path']).read_bytes() if entry else b''
        self.send_response(200 if entry else 404)
        if entry and entry.get('content_type'):
            self.send_header('Content-Type', entry['content_type'])
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_address[1]
(out / 'config/sources.d').mkdir(parents=True, exist_ok=True)
(out / 'config/feedmill.toml').write_text(f'''
[site]
title = "样报 & <判>"
description = "每篇文章一次 & 全部"
url = "https://news.example.org/"
id_authority = "news.example.org,2026"
code_space = "eastmoney"
rights = "© 各报"
[output]
corrections = true
articles = "files"
[output.jekyll]
[fetch]
allow = ["127.0.0.1"]
host_spacing = "0ms"
per_host = 16
[[combined]]
name = "全部 fp"
slug = "all-fp"
categories = ["fp-atom", "fp-wellformed"]
''')
groups = collections.Counter()
lines = []
for n, entry in enumerate(entries):
    group = re.sub(r'[^a-z0-9]+', '-', f"{entry['set']}-{entry['group']}".lower()).strip('-')[:40] or 'other'
    groups[group] += 1
    lines.append(f'[[source]]\nid = "s{n}"\nname = "{group} {n} & <b>"\nurl = "http://127.0.0.1:{port}/{n}"\ncategory = "{group}"\n'
                 f'rights = "© {n} & <others>"\n' + ('excerpt_only = true\n' if n % 17 == 0 else ''))
(out / 'config/sources.d/parse.toml').write_text('\n'.join(lines))
run = lambda *args: subprocess.run([feedmill, '--config', str(out / 'config/feedmill.toml'), *args], check=False, capture_output=True, text=True)
polled = run('poll', '--json')
reports = json.loads(polled.stdout)['polls']
print(len(reports), 'sources,', sum(1 for r in reports if r.get('error')), 'refused,', sum(r['inserted'] for r in reports), 'items')
print(run('import', 'jekyll', str(data / 'posts')).stdout.strip().splitlines()[:1])
print(run('import', 'jekyll', str(data / 'seed')).stdout.strip().splitlines()[:1])
print(run('publish').stdout.strip())
