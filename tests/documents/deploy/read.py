"""Reads a file of deploy/, holds it to its published schema, and writes what is in it as JSON.

read.py compose FILE, or read.py kubernetes FILE: the first is one object, the second an array of them.
"""

import json
import sys

import compose_spec
import kubernetes_validate
import yaml

# The oldest version that the manifests are for, and the newest one that there are schemas of.
KUBERNETES = ["1.30", kubernetes_validate.latest_version()]


def compose(text):
    read = yaml.safe_load(text)
    # Aliases and merges are part of YAML, and gone by now.
    compose_spec.PyCompose.from_json(json.dumps(read)).validate()
    return read


def kubernetes(text):
    read = [document for document in yaml.safe_load_all(text) if document is not None]
    for document in read:
        for version in KUBERNETES:
            kubernetes_validate.validate(document, version, strict=True)
    return read


kind, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    json.dump({"compose": compose, "kubernetes": kubernetes}[kind](file.read()), sys.stdout)
