# Crash, wrong configuration, upgrade, removal, purge.

echo "a life"
status() { inside cuiban status --quarter 2027Q1 --json; }
same_status() { status | /usr/bin/python3 -c '
import json, sys
now, then = json.load(sys.stdin), json.load(open(sys.argv[1]))
sys.exit(any(now[key] != then[key] for key in ("totals", "rows")))' "$work/status"; }
active() { inside systemctl is-active --quiet cuiban; }

before=$(pid)
inside sh -c "kill -KILL $before"
back() { active && [ "$(pid)" != "$before" ]; }
check "killed, it is started again" until_true back
check "and nothing is lost" same_status

# While the service is stopped, root's commands work on the store as its owner.
inside systemctl stop cuiban
stopped=(
  "plan list" "user list" "status --quarter 2027Q1" "journal verify" "contacts template -o /root/stopped.xlsx"
  "backup /root/stopped.backup" "user add wangwu --role viewer" "journal dump"
)
for words in "${stopped[@]}"; do
  check "  stopped, root: cuiban $words" inside sh -c "cd /root && echo yi-ge-hao-mi-ma-2027 | cuiban $words"
done
check "what they write for root is root's" inside sh -c '[ $(stat -c %U /root/stopped.xlsx) = root ] && [ -s /root/stopped.backup ]'
check "and in the store nothing is" inside sh -c '[ -z "$(find /var/lib/cuiban ! -user cuiban)" ] && ! ls /run | grep cuiban-command'
check "root does not serve it either" refused inside cuiban serve
says "systemctl start cuiban"
inside sh -c 'cuiban doctor >/root/doctor || true'
check "doctor sees the same" inside sh -c 'grep "正常  存储：两份记录逐条相符" /root/doctor && grep "正常  权限：存储目录只有 cuiban 能进入" /root/doctor && [ -z "$(find /var/lib/cuiban ! -user cuiban)" ]'
check "a member of the group is told to have it started" refused as zhangsan cuiban plan list
says "请管理员执行 systemctl start cuiban"
inside chown root /var/lib/cuiban/db/conf
inside sh -c 'cuiban doctor >/root/doctor || true'
check "what is not the service's is named, with the line to type" inside grep -F "执行 chown -R cuiban: /var/lib/cuiban" /root/doctor
inside chown -R cuiban: /var/lib/cuiban
inside systemctl start cuiban
check "it starts" until_true active
check "and nothing is lost" same_status
check "what was done meanwhile is there" inside sh -c 'cuiban user list | grep wangwu'

inside cp /etc/cuiban/cuiban.toml /root/good.toml
before=$(pid)
check "it reads its configuration anew" inside systemctl reload cuiban
taken() { inside sh -c 'journalctl CUIBAN_TARGET=cuiban::app::reload | grep "read anew"'; }
check "... and the journal has it, field by field" until_true taken
inside sh -c 'echo "lissen = 1" >>/etc/cuiban/cuiban.toml'
check "a wrong one is not taken" refused inside systemctl reload cuiban
check "... and it runs on" [ "$(pid)" = "$before" ]
inside systemctl stop cuiban
check "with a wrong configuration it does not start" refused inside systemctl start cuiban
check "... says where, once" inside sh -c '[ $(systemctl show --property=NRestarts --value cuiban) = 0 ] && journalctl -u cuiban -n 20 | grep lissen'
inside cp /root/good.toml /etc/cuiban/cuiban.toml
inside systemctl reset-failed cuiban
inside systemctl start cuiban

before=$(pid)
inside cp "/host/two/$(basename "$second")" /root/next.deb
check "it is upgraded while it runs" inside sh -c 'cd /root && apt-get install --yes ./next.deb </dev/null'
check "and runs on as the new one" until_true back
check "it was stopped in good order" inside sh -c 'journalctl -u cuiban | grep "stopped in good order"'
check "and nothing is lost" same_status
check "the administrator's configuration is as it was" inside cmp /root/good.toml /etc/cuiban/cuiban.toml
check "the journal is whole" inside cuiban journal verify

check "it is removed" inside sh -c 'apt-get remove --yes cuiban </dev/null'
check "and stopped" inside sh -c '! systemctl is-active cuiban && [ ! -e /usr/bin/cuiban ]'
check "configuration and data stay" inside sh -c '[ -s /etc/cuiban/cuiban.toml ] && [ -d /var/lib/cuiban ]'
check "it is installed again" inside sh -c 'cd /root && apt-get install --yes ./next.deb </dev/null && systemctl start cuiban'
check "and nothing is lost" same_status

inside rm /etc/cuiban/secrets/smtp-password
check "it is purged, and asks nothing" inside sh -c 'apt-get purge --yes cuiban </dev/null'
says "仍在 /var/lib/cuiban"
check "the data stay" inside sh -c '[ "$(ls -A /var/lib/cuiban)" ]'
ls_all >"$work/after"
check "nothing else does" sh -c "! comm -13 '$work/before' '$work/after' |
  grep -v -e '^/var/lib/cuiban' -e '^/etc/\(ssl/cuiban\|nginx/sites-\)' -e '^/etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-\?\$' \
    -e '^/etc/systemd/system/[a-z.-]*wants\$' -e '^/var/lib/private\$'"

# A server's life begins again: the first command comes before the first start, by root.
inside rm -r /var/lib/cuiban
check "installed anew" inside sh -c 'cd /root && apt-get install --yes ./next.deb </dev/null && echo yi-ge-hao-mi-ma-2027 | cuiban user add lisi --role viewer'
check "what root began before the first start is the service's" inside sh -c 'systemctl start cuiban && cuiban user list | grep lisi && [ $(stat -c %U /var/lib/cuiban/*  | sort -u) = cuiban ]'
