#!/usr/bin/env python3
"""Checks the sample documents against their schemas, and that their pages let nothing out.

usage: check_samples.py SAMPLES DOCS

SAMPLES is a directory that report_samples wrote, DOCS holds the schemas.
"""

import base64
import hashlib
import html.parser
import json
import pathlib
import re
import sys

import jsonschema

ELEMENTS = set(
    "html head meta link title style body a header main nav footer section article div span p h1 h2"
    " h3 b br code pre ul ol li dl dt dd table caption thead tbody tr th td figure figcaption details"
    " summary svg path rect circle text script".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name rel href class id type role aria-label aria-labelledby"
    " aria-hidden tabindex scope width height viewbox preserveaspectratio d x y dx cx cy r"
    " text-anchor".split()
)
VOID = {"meta", "link", "br"}
SCHEMAS = {
    ".json": "report.schema.json",
    ".comparison": "comparison.schema.json",
    ".trend": "trend.schema.json",
}
LARGEST_PAGE = 500 * 1024

failures = []


def fail(where, what):
    failures.append(f"{where}: {what}")


class Page(html.parser.HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, where):
        super().__init__(convert_charrefs=True)
        self.where = where
        self.open = []
        self.ids = []
        self.links = []
        self.texts = {"script": [], "style": []}
        self.data = []
        self.policy = ""

    def handle_starttag(self, tag, attrs):
        if tag not in ELEMENTS:
            fail(self.where, f"element <{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                fail(self.where, f"attribute {name} of <{tag}>")
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)
        attributes = dict(attrs)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            fail(self.where, f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_comment(self, data):
        fail(self.where, f"comment {data[:40]!r}")

    def handle_data(self, data):
        if not self.open or self.open[-1][0] not in self.texts:
            return
        tag, attributes = self.open[-1]
        if attributes.get("type") == "application/json":
            self.data.append(data)
        else:
            self.texts[tag].append(data)


def policy_hash(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def check_page(path):
    where = path.name
    raw = path.read_bytes()
    if len(raw) > LARGEST_PAGE:
        fail(where, f"{len(raw)} bytes")
    text = raw.decode("utf-8")  # strict
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text):
        fail(where, "a control character")
    page = Page(where)
    page.feed(text)
    page.close()
    if page.open:
        fail(where, f"left open: {page.open}")
    for link in page.links:
        if link != "data:," and (not link.startswith("#") or link[1:] not in page.ids):
            fail(where, f"link to {link!r}")
    if len(page.ids) != len(set(page.ids)):
        fail(where, "an id used twice")
    for kind in ("script", "style"):
        if len(page.texts[kind]) != 1:
            fail(where, f"{len(page.texts[kind])} of {kind}")
            continue
        directive = f"{kind}-src {policy_hash(page.texts[kind][0])}"
        if directive not in page.policy.split("; "):
            fail(where, f"the policy has no {directive}")
    if "default-src 'none'" not in page.policy or "unsafe" in page.policy:
        fail(where, f"policy {page.policy}")
    if len(page.data) != 1:
        fail(where, f"{len(page.data)} data blocks")
    else:
        json.loads(page.data[0])


def check_markdown(path):
    """Outside of fenced blocks and of what the renderer writes itself, no HTML and no link."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^ *(`{3,})text\n.*?^ *\1$", "", text)
    text = text.replace("<!-- -->", "")
    text = re.sub(r"<details><summary>[A-Za-z ]+</summary>", "", text)
    text = text.replace("</details>", "")
    if re.search(r"<[a-z/!]", text):
        fail(path.name, "HTML")
    if re.search(r"(?<!\\)\]\(", text):
        fail(path.name, "a link")
    if re.search(r"(?<!\\)`", text):
        fail(path.name, "a code span")
    for line in text.splitlines():
        if line.startswith("|") and not line.rstrip().endswith("|"):
            fail(path.name, f"a torn row: {line[:60]!r}")


def main():
    samples, docs = map(pathlib.Path, sys.argv[1:3])
    checked = 0
    for kind, schema_name in SCHEMAS.items():
        schema = json.loads((docs / schema_name).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for path in sorted(samples.glob("*" + kind)):
            checked += 1
            document = json.loads(path.read_text(encoding="utf-8"))
            for error in list(validator.iter_errors(document))[:5]:
                fail(path.name, f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    pages = sorted(samples.glob("*.html"))
    if checked < 8 or len(pages) < 5:
        fail(str(samples), "too few samples")
    for path in pages:
        check_page(path)
    for path in sorted(samples.glob("*.md")):
        check_markdown(path)
    for failure in failures[:40]:
        print(failure, file=sys.stderr)
    print(f"{checked} documents and {len(pages)} pages, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
