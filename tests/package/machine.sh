# A fresh Debian is started, and the administrator's and the coordinator's first hour are lived.

cp "$first" "$work/cuiban_0.1.0-1_amd64.deb" 2>/dev/null || cp "$first" "$work/"
options=(--register=no)
[ -d /run/systemd/system ] || options+=(--keep-unit)
systemd-nspawn --quiet "${options[@]}" --private-network --volatile=overlay --directory="$base" \
  --bind-ro="$work:/host" --machine=duban --boot </dev/null >"$work/console" 2>&1 &
machine=$!
until_true pgrep -P "$machine"
leader=$(pgrep -P "$machine" | head -1)
up() { [ "$(inside systemctl is-system-running)" = running ]; }
check "a fresh Debian starts" until_true up
# What an installer would have written.
inside sh -c 'echo "127.0.0.1 localhost" >/etc/hosts'
ls_all() { inside find /etc /usr /var/lib -xdev -not -path '/var/lib/dpkg/*' -not -path '/var/lib/apt/*' -not -path '/var/lib/systemd/*' -not -path '/var/cache/*' -not -name '__pycache__' | sort; }
ls_all >"$work/before"

# README.zh-CN.md: blocks of sh are run line by line, a here-document being one line; toml is what
# the file named in its first line is to hold.
/usr/bin/python3 - "$work" <<'EOF'
import pathlib, re, sys
text = pathlib.Path("README.zh-CN.md").read_text()
work = pathlib.Path(sys.argv[1])
hours = re.split(r"^## ", text, flags=re.M)
for name, title in (("administrator", "管理员的第一小时"), ("coordinator", "用命令行做同样的事")):
    hour = next(hour for hour in hours if hour.startswith(title))
    steps = []
    for kind, block in re.findall(r"^```(sh|toml)\n(.*?)^```", hour, flags=re.M | re.S):
        if kind == "toml":
            path = re.match(r"# (/\S+?)(：|\s)", block)[1]
            steps.append(f"cat >{path} <<'EOF'\n{block}EOF\n")
        else:
            steps += [line for line in block.splitlines(keepends=True) if line.strip()]
    assert len(steps) > 5, (name, steps)
    for number, step in enumerate(steps):
        (work / f"{name}.{number:02}").write_text(step)
EOF
# Each line by itself, with a password to read where it asks for one. 3: findings wait for a
# person, as they may; and no mail server is in this machine's reach, which doctor says with 1.
step() { # file, how to run it
  local file=$1 code=0
  shift
  printf 'yi-ge-hao-mi-ma-2027\n' >"$work/stdin"
  "$@" "/host/$(basename "$file")" <"$work/stdin" || code=$?
  case "$code $(cat "$file")" in
    "0 "* | "3 cuiban plan "* | "1 cuiban doctor"*) ;;
    *) return "$code" ;;
  esac
}
hour() { # files, how to run them
  local files=$1
  shift
  for file in $files; do
    check "  # $(head -1 "$file" | cut -c1-90)" step "$file" "$@"
    if grep -q 'contacts template' "$file"; then fill_in; fi
  done
}
# What a person does between two commands: an address for everyone.
fill_in() {
  as zhangsan sh -e -c 'cd ~ && cuiban contacts template -o leer.csv 2>/dev/null &&
    awk -F, -v OFS=, "NR > 1 { \$5 = \"u\" NR \"@example.gov.cn\" } 1" leer.csv >通讯录.xlsx'
}
root=(inside sh -e -c 'cd /root && . "$0"')
inside sh -c 'cp /host/cuiban_*-1_*.deb /root/'

echo "README.zh-CN.md, 管理员的第一小时"
hour "$work/administrator.00" "${root[@]}"
says "服务尚未启动"
check "nothing runs before it is configured" inside sh -c '! systemctl is-active cuiban && ! systemctl is-enabled cuiban'
check "the configuration it brings is right" inside cuiban config check
check "... with every line that it proposes" inside sh -e -c '
  mkdir -p /tmp/all/secrets && cd /tmp/all
  sed "s/^# \(\[\|[a-z_]* = \)/\1/" /etc/cuiban/cuiban.toml >cuiban.toml
  for name in smtp-password imap-password wecom-app-secret wecom-callback-token wecom-robot-key; do echo geheim >secrets/$name; done
  echo jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C >secrets/wecom-callback-aes-key
  chmod 600 secrets/*
  cuiban --config cuiban.toml config check'
says "电子邮件、企业微信应用、企业微信群"
hour "$(echo "$work"/administrator.0[1-9] "$work"/administrator.[1-9]*)" "${root[@]}"
check "it runs, and will after the next start of the machine" inside systemctl is-active cuiban
check "..." inside systemctl is-enabled cuiban
pid() { inside systemctl show --property=MainPID --value cuiban; }
check "its process may do nothing more" inside sh -c "
  grep -q '^CapEff:.0*\$' /proc/$(pid)/status && grep -q '^NoNewPrivs:.1' /proc/$(pid)/status &&
  grep -q '^Seccomp:.2' /proc/$(pid)/status && [ \$(stat -c %U /proc/$(pid)) = cuiban ]"
check "as installed: 1.5 or better" inside systemd-analyze security --no-pager --threshold=15 cuiban
stat_is() { [ "$(inside stat -c '%a %U %G' "$1")" = "$2" ]; }
check "the configuration is the group's to read" stat_is /etc/cuiban '750 root cuiban'
check "secrets are root's" stat_is /etc/cuiban/secrets/smtp-password '600 root root'
check "the store is its own" stat_is /var/lib/cuiban '700 cuiban cuiban'
check "the command socket is the group's" stat_is /run/cuiban/cuiban.sock '660 cuiban cuiban'

echo "README.zh-CN.md, 用命令行做同样的事"
# Their own table of this year: the bundled one, moved to 2027. What a file is shows from its content.
sed 's/2022/2027/g' seeds/dongguan-2022.txt >"$work/table"
inside install -o zhangsan -m 644 /host/table /home/zhangsan/分解表.xlsx
hour "$(echo "$work"/coordinator.*)" as zhangsan sh -e -c 'cd ~ && . "$0"'
refused() { ! "$@"; }
cp "$work/said" "$work/urged"
check "who is urged is more than nobody" grep -E '将催办[1-9]' "$work/urged"


check "the manual page is readable" inside man --pager=cat cuiban
says "cuiban plan import"
check "whatis knows it" inside whatis cuiban
check "bash completes it" inside bash -n /usr/share/bash-completion/completions/cuiban
ask http://127.0.0.1:8780/metrics >"$work/told"
# The time of the last backup is told once there is one.
echo '# TYPE cuiban_last_backup_timestamp_seconds gauge' >>"$work/told.names"
grep '^# TYPE' "$work/told" >>"$work/told.names"
check "rules and dashboard name only metrics that there are" sh -c "
  while read -r name; do grep -q \"^# TYPE \$name \" '$work/told.names' || { echo \$name; exit 1; }; done <'$work/metrics'"
check "Prometheus reads what it is told" sh -c "'$promtool' check metrics <'$work/told'"
