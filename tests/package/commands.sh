# Every command there is, beside the running daemon: for root, for a member of the group, and not for
# anybody else.

echo "commands beside the daemon"
commands=(
  "plan inspect 分解表.xlsx"
  "plan import 分解表.xlsx --id dongguan-2027 --dry-run"
  "plan show"
  "plan list"
  "contacts template -o WER.xlsx"
  "contacts import 通讯录.xlsx"
  "contacts check"
  "contacts test --person 市科技局/钟靖平"
  "simulate --json"
  "status --quarter 2027Q1"
  "urge --quarter 2027Q1 --dry-run"
  "report --task 31 --person 市科技局/钟靖平 --quarter 2027Q1 --status on_schedule --text 已完成选址。"
  "export --quarter 2027Q1 -o WER-stand.xlsx"
  "bulletin --quarter 2027Q1 -o WER-bulletin.docx --draft"
  "user add WER-1 --role viewer"
  "user change WER-1 --role coordinator"
  "user passwd WER-1"
  "user list"
  "user disable WER-1"
  "user enable WER-1"
  "user totp-reset WER-1"
  "token add WER --scope board:read"
  "token list"
  'token revoke "$(cuiban token list --json | sed "s/.*\"id\":\"\([^\"]*\)\".*/\1/")"'
  "journal dump"
  "journal verify"
  "backup WER.backup"
  "restore --check WER.backup"
  "resume --not-before 2026-01-01T00:00:00+08:00"
  "mail read reply.eml"
  "config check"
  "config show"
  "config templates WER-templates"
  "doctor"
  "clock confirm"
  "completions bash"
)
# None is forgotten: the daemon itself, the trial and the hidden ones are not for beside it.
leaves() { # words of a command
  local below
  below=$("$work/cuiban" "$@" --help | sed -n '/^命令:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
  if [ -z "$below" ]; then
    echo "$*"
  else
    for one in $below; do leaves "$@" "$one"; done
  fi
}
leaves | grep -v -x -e demo -e serve | sort >"$work/leaves"
printf '%s\n' "${commands[@]}" | while read -r first second _; do
  grep -x -e "$first" -e "$first $second" "$work/leaves" || echo "$first"
done | sort -u >"$work/tried"
check "all of them" cmp "$work/leaves" "$work/tried"

cp tests/fixtures/mail-replies/01-qq-web.eml "$work/reply.eml"
inside sh -c 'for home in /root /home/zhangsan; do cp /host/reply.eml $home; done; cp /home/zhangsan/*.xlsx /root; chown zhangsan /home/zhangsan/*; chmod +r /home/zhangsan/*'
beside() { # who, words
  local code=0
  printf '%s\n' "cd ~ && echo ein-anderes-passwort-2027 | cuiban ${2//WER/$1}" >"$work/command"
  if [ "$1" = root ]; then inside sh /host/command; else as "$1" sh /host/command; fi || code=$?
  # 3: findings wait for a person; and no mail server is in reach, which doctor says with 1.
  case "$code $2" in
    "0 "* | "3 plan "* | "1 doctor") ;;
    *) return "$code" ;;
  esac
}
for who in root zhangsan; do
  for words in "${commands[@]}"; do check "  $who: cuiban $words" beside "$who" "$words"; done
done

inside useradd --create-home stranger
check "who is not in the group is refused" refused as stranger cuiban status --quarter 2027Q1
says "没有读取这个配置文件的权限，请在命令前加上 sudo"
inside sh -c 'install -m 644 /etc/cuiban/cuiban.toml /tmp/cuiban.toml'
for words in "status --quarter 2027Q1" "user list" "journal dump" "doctor" "backup /tmp/b"; do
  check "... with a configuration of his own, too: $words" refused as stranger sh -c "cuiban --config /tmp/cuiban.toml $words"
  case "$words" in doctor) ;; *) says "只有管理员（root）和 cuiban 用户组的成员可以使用" ;; esac
done

# How things stand, for whatever comes now.
inside cuiban status --quarter 2027Q1 --json >"$work/status"
