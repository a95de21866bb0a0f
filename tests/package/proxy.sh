# nginx with the sample as README has put it there, and Caddy with its own.

site=duban.example.gov.cn
inside cat /etc/ssl/cuiban/fullchain.pem >"$work/ca.pem"
over() { ask --cacert "$work/ca.pem" --resolve "$site:443:127.0.0.1" --resolve "$site:80:127.0.0.1" "$@"; }
code() { over --output "$work/page" --write-out '%{http_code}' "$@"; }
is() { [ "$1" = "$("${@:2}")" ]; }

echo "nginx"
check "plain HTTP is sent to HTTPS" is 301 code "http://$site/login"
check "the board is there" is 200 code "https://$site/login"
wrong() { # from address, further arguments: a wrong password
  local from=$1
  shift
  code --interface "$from" --data 'name=zhangsan&password=falsch' "$@" "https://$site/login"
}
for try in 1 2 3 4 5; do wrong 127.0.0.2 >/dev/null; done
check "who guesses passwords is slowed down" is 429 wrong 127.0.0.2
check "... whatever he says of where he is" is 429 wrong 127.0.0.2 --header 'X-Forwarded-For: 9.9.9.9'
check "... and nobody else" is 401 wrong 127.0.0.3
nsenter -t "$leader" -n ip address add 10.9.9.9/32 dev lo
from_outside() { ask --cacert "$work/ca.pem" --resolve "$site:443:10.9.9.9" --interface 10.9.9.9 --output "$work/page" --write-out '%{http_code}' "$@"; }
check "metrics are not for everybody" is 403 from_outside "https://$site/metrics"
check "the owners' pages are" is 404 from_outside "https://$site/r/geheimer-schluessel?x=1"
check "no link gets into nginx's logs" inside sh -c '
  nginx -s reopen; grep -q "GET /r/\*\*\*" /var/log/nginx/cuiban.log && ! grep -r "geheimer-schluessel" /var/log/nginx'

# The rest with a stand-in for the daemon, which says what it was asked.
inside systemctl stop cuiban
nsenter -t "$leader" -n /usr/bin/python3 tests/package/upstream.py 8780 &
until_true ask http://127.0.0.1:8780/
events() { (over --no-buffer --max-time 4 "https://$site/events" || true) | grep 'data: 1'; }
behind() { # which proxy
  check "$1: says where a request came from, and nothing that it was told" \
    is 127.0.0.4 over --interface 127.0.0.4 --header 'X-Forwarded-For: 9.9.9.9' "https://$site/from"
  check "$1: the name asked for is passed on" is "$site" over "https://$site/host"
  head -c 104857600 /dev/zero >"$work/large"
  check "$1: a hundred megabytes pass" is 104857600 over --data-binary "@$work/large" "https://$site/r/x"
  # Caddy breaks off in the middle where nginx says 413 at once.
  check "$1: and not as much as anybody likes" refused is 200 code --data-binary "@$work/large" --data-binary "@$work/large" "https://$site/r/x"
  # The stand-in sends one line, then nothing for ten seconds.
  check "$1: events come as they happen" events
}
behind nginx

echo "Caddy"
inside systemctl stop nginx
cp "$folder/caddy/usr/bin/caddy" "$work/caddy"
cp deploy/Caddyfile "$work/Caddyfile"
check "the sample is valid" inside env XDG_DATA_HOME=/tmp/caddy XDG_CONFIG_HOME=/tmp/caddy /host/caddy validate --adapter caddyfile --config /host/Caddyfile
inside env XDG_DATA_HOME=/tmp/caddy XDG_CONFIG_HOME=/tmp/caddy /host/caddy run --adapter caddyfile --config /host/Caddyfile >"$work/caddy.log" 2>&1 &
starts() { until_true over "https://$site/" || { cat "$work/caddy.log" && return 1; }; }
check "Caddy starts" starts
behind Caddy
check "Caddy: metrics are not for everybody" is 403 from_outside "https://$site/metrics"
inside /host/caddy stop >"$work/said" 2>&1
nsenter -t "$leader" -n curl --silent --noproxy '*' http://127.0.0.1:8780/stop >/dev/null || true
inside systemctl start nginx cuiban
check "through it all again: nginx and the daemon" is 200 code "https://$site/healthz"
