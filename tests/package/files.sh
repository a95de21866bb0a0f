# What can be checked without a machine: the unit, the rules, the dashboard, the proxies' samples.

# A threshold of issue 7; systemd's own count, in tenths.
check "systemd-analyze security: 1.5 or better" \
  systemd-analyze security --offline=true --no-pager --threshold=15 deploy/cuiban.service
sed -n 's/^→/      →/p' "$work/said"

promtool=$PWD/$folder/prometheus/usr/bin/promtool
check "the alert rules are well formed" "$promtool" check rules deploy/prometheus/cuiban.rules.yml
check "each trouble is told, and none else" "$promtool" test rules deploy/prometheus/cuiban.rules.test.yml

# What the dashboard asks, as rules, so that promtool reads it; and the metrics that both name.
/usr/bin/python3 - "$work" <<'EOF'
import json, re, sys
board = json.load(open("deploy/grafana/cuiban.json"))
asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]
with open(sys.argv[1] + "/dashboard.yml", "w") as out:
    json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, out)
texts = asked + [variable.get("definition", "") for variable in board["templating"]["list"]]
texts.append(open("deploy/prometheus/cuiban.rules.yml").read())
with open(sys.argv[1] + "/metrics", "w") as out:
    for name in sorted({name for text in texts for name in re.findall(r"\bcuiban_\w+", text)}):
        print(name, file=out)
EOF
check "the dashboard asks nothing that Prometheus does not understand" "$promtool" check rules "$work/dashboard.yml"
