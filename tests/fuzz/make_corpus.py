"""Starts each corpus: cells of the real table and of the samples, bits of it in every form."""

import json
import pathlib
from xml.sax.saxutils import escape

here = pathlib.Path(__file__).parent
root = here.parent.parent
lines = (root / "seeds/dongguan-2022.txt").read_text(encoding="utf-8").splitlines()
head = next(i for i, line in enumerate(lines) if line.startswith("总体要求\t"))
rows = [line.split("\t") for line in lines[head : head + 40]]


def put(target, name, data):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode("utf-8"))


cells = [row[2] for row in rows[1:] if len(row) > 2]
for samples in root.glob("tests/fixtures/time-phrases*.json"):
    cells += [sample["text"] for sample in json.loads(samples.read_text(encoding="utf-8"))]
for number, cell in enumerate(cells):
    put("schedule", f"cell-{number}", cell)

put("text", "table", "\n".join(lines[: head + 12]))
put("text", "gap", "\n".join(["\t".join(row) for row in rows[:8]]))

ns = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
for size in (2, 6):
    body = "".join(
        "<w:tr>"
        + "".join(f"<w:tc><w:p><w:r><w:t>{escape(c)}</w:t></w:r></w:p></w:tc>" for c in row)
        + "</w:tr>"
        for row in rows[:size]
    )
    put("docx", f"table-{size}", f"<w:document {ns}><w:body><w:tbl>{body}</w:tbl></w:body></w:document>")
put(
    "docx",
    "merged",
    f"<w:document {ns}><w:body><w:p><w:r><w:t>2022年分解表</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:tcPr>"
    '<w:gridSpan w:val="2"/><w:vMerge w:val="restart"/></w:tcPr><w:p><w:ins><w:r><w:t>总体要求</w:t>'
    "<w:tab/><w:br/></w:r></w:ins><w:del><w:r><w:delText>旧</w:delText></w:r></w:del></w:p></w:tc></w:tr>"
    "</w:tbl></w:body></w:document>",
)

for size in (2, 6):
    body = "".join(
        f'<row r="{r + 1}">'
        + "".join(
            f'<c r="{chr(65 + c)}{r + 1}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for c, cell in enumerate(row)
        )
        + "</row>"
        for r, row in enumerate(rows[:size])
    )
    put(
        "xlsx",
        f"table-{size}",
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<sheetData>{body}</sheetData><mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells></worksheet>',
    )

vectors = json.loads((root / "tests/fixtures/wecom-vectors.json").read_text(encoding="utf-8"))
for case in vectors["cases"]:
    if "query" in case:
        put("callback", case["id"], case["query"] + "\n" + case.get("body", ""))
    if case["expect"].get("plaintext"):
        put("callback", case["id"] + "-inside", case["expect"]["plaintext"])
