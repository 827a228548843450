"""The text that the language models learn: Jane Austen's six novels, in the public domain.

    python3 corpus.py ../models/austen-siso/held_out.txt      writes the held-out text

They come from Debian's package r-cran-janeaustenr (MIT, text from Project Gutenberg), whose data file is opened without
R: zlib chunks, each a serialised vector of lines. Wrapped lines are joined, so that a newline ends a paragraph.
"""

import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

PACKAGE = "r-cran-janeaustenr"
DATA = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
DATA_SHA256 = "8fb5198960d0da724b1562f96e4221e5c1b41ff455000280b02c55980c3d8f21"
HELD_OUT = 0.03  # of each novel, its end
STRING_VECTOR, STRING = 16, 9  # types in R's serialisation


def package_data():
    """The data file, from where the package is installed or from the package itself."""
    installed = pathlib.Path("/") / DATA
    if installed.exists():
        data = installed.read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
            archive, = pathlib.Path(folder).glob("*.deb")
            subprocess.run(["dpkg", "-x", archive, folder], check=True)
            data = (pathlib.Path(folder) / DATA).read_bytes()
    if hashlib.sha256(data).hexdigest() != DATA_SHA256:
        raise SystemExit(f"{PACKAGE} holds another text than the one that was trained on")
    return data


def strings(serialised):
    """Lines of a serialised R vector of strings (version 3, big-endian)."""
    encoding, = struct.unpack_from(">I", serialised, 14)
    at = 18 + encoding
    kind, count = struct.unpack_from(">II", serialised, at)
    at += 8
    if serialised[:2] != b"X\n" or kind & 255 != STRING_VECTOR:
        raise ValueError("not a vector of strings")
    for _ in range(count):
        kind, size = struct.unpack_from(">II", serialised, at)
        if kind & 255 != STRING:
            raise ValueError("not a string")
        yield serialised[at + 8:at + 8 + size].decode()
        at += 8 + size


def novels():
    """The text of each novel, one line a paragraph."""
    data = package_data()
    while data:
        chunk = zlib.decompressobj()
        lines = strings(chunk.decompress(data[4:]))
        data = chunk.unused_data
        yield "".join(" ".join(paragraph.split()) + "\n" for paragraph in "\n".join(lines).split("\n\n")
                      if paragraph.strip())


def split():
    """Training text and held-out text, as bytes."""
    train, held_out = [], []
    for text in novels():
        cut = text.index("\n", int(len(text) * (1 - HELD_OUT))) + 1
        train.append(text[:cut])
        held_out.append(text[cut:])
    return "".join(train).encode(), "".join(held_out).encode()


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_bytes(split()[1])
