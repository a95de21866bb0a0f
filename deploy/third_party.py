"""The notices of every crate that is linked into the program, each text once, for the package."""

import collections
import json
import pathlib
import subprocess

NAMES = ("licen", "copying", "notice", "copyright", "unlicense")


def linked():
    """The packages the program is made of, without those that only build or test it."""
    told = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1",
         "--filter-platform", "x86_64-unknown-linux-gnu"],
        check=True, capture_output=True, text=True).stdout
    data = json.loads(told)
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    root = data["resolve"]["root"]
    seen, to_see = set(), [root]
    while to_see:
        for needed in nodes[to_see.pop()]["deps"]:
            kinds = {kind["kind"] for kind in needed["dep_kinds"]}
            macro = any("proc-macro" in target["kind"] for target in packages[needed["pkg"]]["targets"])
            if None in kinds and not macro and needed["pkg"] not in seen:
                seen.add(needed["pkg"])
                to_see.append(needed["pkg"])
    return sorted((packages[one] for one in seen), key=lambda package: (package["name"], package["version"]))


def notices(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.lower().startswith(NAMES):
            yield path.read_text(errors="replace").strip().replace("\r\n", "\n")


def main():
    packages = linked()
    texts = collections.defaultdict(list)
    print("cuiban holds the code of these crates, each under the licence named:\n")
    for package in packages:
        name = f'{package["name"]} {package["version"]}'
        print(f'{name}: {package["license"] or "see its own text below"}')
        for text in notices(package):
            texts[text].append(name)
    for text, names in sorted(texts.items(), key=lambda item: item[1]):
        print("\n" + "-" * 78 + "\n" + ", ".join(names) + "\n\n" + text)


main()
