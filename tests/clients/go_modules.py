"""Makes what Debian has of Go's libraries into modules, as a proxy for them serves files: go_modules.py DIRECTORY.

So `go get` and `go install` can be run where no proxy can be asked.
"""

import sys
import zipfile
from pathlib import Path

SOURCES = Path("/usr/share/gocode/src")

# By their paths: the version, what they need, and which of their directories are enough, all if none are named.
MODULES = {
    "github.com/golang/protobuf": ("v1.5.2", ["google.golang.org/protobuf"], []),
    "golang.org/x/net": ("v0.7.0", ["golang.org/x/text"], []),
    "golang.org/x/sys": ("v0.3.0", [], ["unix", "internal"]),
    "golang.org/x/text": ("v0.7.0", [], ["secure", "transform", "unicode"]),
    "google.golang.org/genproto": ("v0.1.0", ["github.com/golang/protobuf", "google.golang.org/protobuf"], ["googleapis/rpc"]),
    "google.golang.org/grpc": (
        "v1.33.3",
        ["github.com/golang/protobuf", "golang.org/x/net", "golang.org/x/sys", "google.golang.org/genproto",
         "google.golang.org/protobuf"],
        [],
    ),
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc": ("v1.0.0", ["google.golang.org/protobuf"], []),
    "google.golang.org/protobuf": ("v1.28.1", [], []),
}


def of_another_module(path, module):
    return any(other.startswith(module + "/") and path.is_relative_to(SOURCES / other) for other in MODULES)


def files(module, directories):
    root = SOURCES / module
    for top in [root / directory for directory in directories] or [root]:
        for path in sorted(top.rglob("*")):
            is_of_a_test = path.name.endswith("_test.go") or "testdata" in path.parts or path.name == "go.mod"
            if path.is_file() and not is_of_a_test and not of_another_module(path, module):
                yield path


def write(module, directory):
    version, needed, directories = MODULES[module]
    place = directory / module / "@v"
    place.mkdir(parents=True, exist_ok=True)
    requirements = "".join(f"require {other} {MODULES[other][0]}\n" for other in needed)
    definition = f"module {module}\n\ngo 1.17\n\n{requirements}"
    (place / "list").write_text(version + "\n")
    (place / f"{version}.info").write_text(f'{{"Version": "{version}"}}')
    (place / f"{version}.mod").write_text(definition)
    with zipfile.ZipFile(place / f"{version}.zip", "w") as archive:
        archive.writestr(f"{module}@{version}/go.mod", definition)
        for path in files(module, directories):
            archive.write(path, f"{module}@{version}/{path.relative_to(SOURCES / module)}")


for name in MODULES:
    write(name, Path(sys.argv[1]))
