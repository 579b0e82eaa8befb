"""What promtool and the collector do not look into by themselves, made ready for them or looked at here.

    expressions.py dashboard FILE   the expressions of a Grafana dashboard, as a rule file for `promtool check rules`
    expressions.py collector FILE   fails where a pipeline of the collector names what is not configured, or leaves it out
"""

import json
import sys

import yaml


def dashboard(path):
    with open(path, encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    targets = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    if len(targets) < 20:
        sys.exit(f"{path}: only {len(targets)} expressions were found")
    filled = [expr.replace("$__rate_interval", "5m").replace("$instance", ".*") for expr in targets]
    left = [expr for expr in filled if "$" in expr]
    if left:
        sys.exit(f"{path}: a variable nobody fills in: {left}")
    rules = [{"record": f"dashboard:expression:{number}", "expr": expr} for number, expr in enumerate(filled)]
    print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))


def collector(path):
    with open(path, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    used = {"extensions": set(config["service"]["extensions"])}
    for pipeline in config["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            used.setdefault(kind, set()).update(names)
    for kind in sorted(set(config) - {"service"} | set(used)):
        if set(config.get(kind, {})) != used.get(kind, set()):
            sys.exit(f"{path}: {kind}: configured {sorted(config.get(kind, {}))}, used {sorted(used.get(kind, set()))}")
    if set(config["service"]["pipelines"]) != {"metrics", "traces", "logs"}:
        sys.exit(f"{path}: a signal has no pipeline")


{"dashboard": dashboard, "collector": collector}[sys.argv[1]](sys.argv[2])
