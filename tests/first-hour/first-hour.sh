#!/bin/bash
# A new admin's first hour with feedmill, from the package to a restored backup; prints a transcript in Markdown.
# For a fresh Debian with systemd: first-hour.sh OLD.deb NEW.deb BASE, where BASE is an address under which the samples
# beside this script (`www/`) are served.
set -u
old=$1 new=$2 base=$3
say() { printf '\n## %s\n\n%s\n\n' "$1" "$2"; }
run() {
    printf '```console\n'
    for command in "$@"; do
        printf '# %s\n' "$command"
        bash -c "$command" 2>&1
        code=$?
        [ $code = 0 ] || printf '(exit code %s)\n' $code
    done
    printf '```\n'
}
put() {
    printf '```console\n# cat > %s\n%s\n```\n' "$1" "$2"
    printf '%s\n' "$2" >"$1"
}
settle() { sleep "${1:-8}"; }

say 'Install' 'One package. It is a service at once, and polls nothing yet.'
run "apt-get install -y -q $old 2>&1 | grep -v '^(Reading\\|^Selecting\\|^Preparing'" \
    'systemctl is-active feedmill.socket feedmill.service' 'systemctl show feedmill -p StatusText --value' \
    'curl -s -o /dev/null -w "%{http_code}\n" http://127.0.0.1:8640/' 'feedmill doctor'

cd /etc/feedmill || exit 1
say 'A newspaper with a feed' 'Newspapers are on this machine here, so inner addresses are allowed first. Any address of a newspaper is enough.'
run "printf '\n[fetch]\nallow = [\"127.0.0.0/8\"]\n' >> feedmill.toml" 'sleep 6'
run "feedmill source add $base/index.html --id xihai --category 西海都市报 --yes"
settle
run 'feedmill item list'

say 'A newspaper with a JSON API' 'Its records have names of their own, which the config maps.'
put sources.d/qinghai.toml "[[source]]
url = \"$base/api.json\"
category = \"青海日报\"
kind = \"json\"
items = \"/data\"
fields = { code = \"/id\", title = \"/headline\", link = \"/url\", date = \"/time\", content = \"/body\" }
[source.code]
from = \"field\""
settle
run 'feedmill poll qinghai'

say 'A newspaper that has only pages' 'Read by CSS selectors.'
put sources.d/hehuang.toml "[[source]]
url = \"$base/list.html\"
category = \"河湟时报\"
kind = \"html\"
[source.list]
item = \"ul.news li\"
title = \"a\"
date = \"time@datetime\"
[source.article]
content = [\"#text\"]"
settle
run 'feedmill poll hehuang' 'feedmill category list' 'feedmill status'

say 'Mistake 1: a quotation mark is missing' 'The site goes on under the old config, and the reason is seen in three places.'
run "sed -i 's/\"青海日报\"/\"青海日报/' sources.d/qinghai.toml"
settle
run 'feedmill check' 'feedmill status' 'systemctl show feedmill -p StatusText --value' \
    'curl -s -o /dev/null -w "%{http_code}\n" http://127.0.0.1:8640/feed/qinghairibao.xml' \
    "sed -i 's/\"青海日报/\"青海日报\"/' sources.d/qinghai.toml"
settle
run 'feedmill status'

say 'Mistake 2: a key is misspelled' ''
run "sed -i 's/^category/categroy/' sources.d/xihai.toml" 'feedmill check' "sed -i 's/^categroy/category/' sources.d/xihai.toml"

say 'Mistake 3: a selector that fits nothing' 'The config has no fault, but the newspaper would be empty with it. So it is held.'
run "sed -i 's/ul.news li/ul.nachrichten li/' sources.d/hehuang.toml"
settle
run 'feedmill reload' "sed -i 's/ul.nachrichten li/ul.news li/' sources.d/hehuang.toml"
settle

say 'Mistake 4: a source that is not there, a command that is not one' ''
run 'feedmill source test xihia' 'feedmill sources list'

say 'Move an article, rename a category' 'The article stays where it was put, for ever; the old address of the category leads to the new one.'
run 'feedmill item find 青海湖' 'feedmill item move "$(feedmill item find 青海湖 --json | grep -o "\"info_code\": \"[^\"]*" | head -1 | cut -d\" -f4)" --to qinghairibao' \
    'feedmill category rename xihaidushibao 西海报 --slug xihaibao' \
    'curl -s -o /dev/null -w "%{http_code} %{redirect_url}\n" http://127.0.0.1:8640/feed/xihaidushibao.xml'

say 'A lawyer called' 'By the newspaper'"'"'s own address. What shows the same is told first.'
run "feedmill item withdraw $base/a/1.html --why 'letter of 3 May' --dry-run" \
    "feedmill item withdraw $base/a/1.html --why 'letter of 3 May' --copies --erase"
run 'curl -s http://127.0.0.1:8640/feed/xihaibao.json | grep -c 手机支付'

say 'Back up' 'By hand; each day one is made by itself.'
run 'cd /var/lib/feedmill && feedmill store export /var/lib/feedmill/backup.export && ls -l /var/lib/feedmill/backup.export'

say 'Upgrade, and no way back by accident' 'Readers notice nothing: systemd holds the address open.'
run "(for i in \$(seq 60); do curl -s -m 5 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8640/feed.xml; sleep .1; done | sort | uniq -c) & sleep 1; apt-get install -y -q $new 2>&1 | grep -v '^(Reading\\|^Preparing'; wait"
run 'systemctl show feedmill -p StatusText --value' "dpkg -i $old 2>&1 | grep -v '^(Reading'" 'feedmill --version; dpkg-query -W feedmill'

say 'A disk is lost: restore' ''
run 'systemctl stop feedmill.service feedmill.socket' 'rm -rf /var/lib/feedmill/store /var/lib/feedmill/public' \
    'systemctl start feedmill.socket feedmill.service' \
    'feedmill store import /var/lib/feedmill/backup.export --replace' 'sleep 2; feedmill category list' \
    'curl -s -o /dev/null -w "%{http_code}\n" http://127.0.0.1:8640/feed/xihaibao.xml'

say 'Remove' '`remove` keeps config and articles, `purge` deletes both.'
run "apt-get remove -y -q feedmill 2>&1 | grep -v '^(Reading'" 'ls /etc/feedmill /var/lib/feedmill' "apt-get purge -y -q feedmill 2>&1 | grep -v '^(Reading'" 'ls -d /etc/feedmill /var/lib/feedmill'
