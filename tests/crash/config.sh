#!/bin/sh
# Writes a config for a crash run to standard output.
# config.sh SOURCES DIR PORT INTERVAL; SOURCES has lines of name, address and category.
set -eu
sources=$1 dir=$2 port=$3 interval=$4
cat <<END
[site]
title = "crash"
url = "http://127.0.0.1:$port/"

[store]
path = "$dir/data/store"
exports = "$dir/data/exports"
# A run on a small disk of its own has 64 MiB in all.
ballast = "4MiB"
low_water = "8MiB"

[output]
path = "$dir/data/public"

# Whatever was published once stays in the feed, so that a loss shows.
[output.window]
items = 500
age = "20000d"
most = 5000
max_size = "64MiB"
full_size = "64MiB"

[serve]
listen = "127.0.0.1:$port"

[control]
socket = "$dir/data/control.sock"

[fetch]
allow = ["127.0.0.0/8"]
host_spacing = "0ms"
per_host = 16

[poll]
interval = "${interval}s"
min_interval = "${interval}s"
END
while IFS='	' read -r name url category; do
    printf '\n[[source]]\nid = "%s"\nurl = "%s"\ncategory = "%s"\n' "$name" "$url" "$category"
done <"$sources"
# What has a section of its own has a feed at once, before its first article.
cut -f3 "$sources" | sort -u | while read -r category; do
    printf '\n[[category]]\nname = "%s"\nslug = "%s"\n' "$category" "$category"
done
