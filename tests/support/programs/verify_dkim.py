"""Verifies every DKIM signature of a letter with dkimpy, with keys from a file instead of the DNS.

verify_dkim.py RECORDS LETTER, where a line of RECORDS is "name value". Prints "selector pass" or "selector fail" for each.
"""

import sys

import dkim

records = dict(line.rstrip("\n").split(" ", 1) for line in open(sys.argv[1]))
with open(sys.argv[2], "rb") as file:
    letter = file.read()


def lookup(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    return records.get(name.rstrip("."), "").encode() or None


verifier = dkim.DKIM(letter)
for index in range(sum(1 for name, _ in verifier.headers if name.lower() == b"dkim-signature")):
    try:
        passed = verifier.verify(idx=index, dnsfunc=lookup)
    except dkim.DKIMException:
        passed = False
    selector = verifier.signature_fields.get(b"s", b"?").decode()
    print(selector, "pass" if passed else "fail")
