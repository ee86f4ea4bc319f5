#!/bin/bash
# In a booted systemd: start, ready, reload, watchdog miss, restart without a lost connection, stop. booted.sh PACKAGE
set -u
dpkg -i "$1" 2>&1 | tail -2
systemctl is-system-running
t() { date +%s.%N; }
echo "== start to active: $(a=$(t); systemctl restart feedmill; b=$(t); echo "$b - $a" | awk '{print $1-$3}') s"
systemctl show feedmill -p ActiveState -p SubState -p StatusText -p NRestarts -p MainPID -p MemoryCurrent
ls -ld /var/lib/feedmill /var/lib/feedmill/store /var/lib/feedmill/public /run/feedmill /run/feedmill/control.sock
echo "== reload"; systemctl reload feedmill; echo "rc $?"; systemctl show feedmill -p StatusText --value
journalctl -u feedmill -o short --no-pager | tail -4
journalctl -u feedmill -o json --no-pager | grep -o '"FEEDMILL_SOURCES":"[^"]*"' | tail -1
echo 'broken = = 1' >> /etc/feedmill/feedmill.toml; systemctl reload feedmill; echo "bad reload rc $?, still $(systemctl is-active feedmill)"; systemctl show feedmill -p StatusText --value
sed -i '/^broken/d' /etc/feedmill/feedmill.toml; systemctl reload feedmill
echo "== a secret that root alone can read"
install -d -m 700 /etc/credstore; (umask 077; echo s3cret > /etc/credstore/hook); su -s /bin/sh feedmill -c 'cat /etc/credstore/hook'
mkdir -p /run/systemd/system/feedmill.service.d; printf '[Service]\nLoadCredential=hook:/etc/credstore/hook\n' > /run/systemd/system/feedmill.service.d/c.conf; systemctl daemon-reload
printf '[[webhook]]\nurl = "http://127.0.0.1:9/hook"\nsecret_file = "hook"\n' >> /etc/feedmill/feedmill.toml
systemctl restart feedmill; echo "restart rc $?, $(systemctl is-active feedmill)"; systemctl show feedmill -p StatusText --value; feedmill check; echo "check by root rc $?"; feedmill status | head -1
ls -l /run/credentials/feedmill.service/
echo "== restart under load (no connection lost)"
(for i in $(seq 100); do curl -s -m 10 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8640/; sleep .05; done | sort | uniq -c) & sleep 1; systemctl restart feedmill; sleep 1; systemctl restart feedmill; wait
echo "== watchdog miss (WatchdogSec=6 for this)"
mkdir -p /run/systemd/system/feedmill.service.d; printf '[Service]\nWatchdogSec=6\nTimeoutAbortSec=5\n' > /run/systemd/system/feedmill.service.d/w.conf; systemctl daemon-reload; systemctl restart feedmill
sleep 15; echo "after 15 s: $(systemctl show feedmill -p NRestarts -p ActiveState | tr '\n' ' ')"
kill -STOP $(systemctl show feedmill -p MainPID --value); sleep 20
systemctl show feedmill -p NRestarts -p ActiveState | tr '\n' ' '; journalctl -u feedmill --no-pager | grep -i watchdog | tail -2
echo "== stop"; a=$(t); systemctl stop feedmill.service; b=$(t); echo "$b $a" | awk '{print $1-$2, "s"}'; systemctl show feedmill -p Result -p ActiveState | tr '\n' ' '
sed -i '/^\[\[webhook\]\]/,$d' /etc/feedmill/feedmill.toml; rm -r /run/systemd/system/feedmill.service.d; systemctl daemon-reload; systemctl start feedmill
systemd-analyze security feedmill | tail -1
