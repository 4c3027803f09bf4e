"""Checks metadata files with securesystemslib: key ids, canonical JSON and classical signatures.

Usage: check-with-securesystemslib.py FOLDER; writes {files: {NAME: {canonical (SHA-256), good, bad}}, keyIds: {LISTED: MADE}}.
"""
import hashlib
import json
import os
import sys

from securesystemslib import formats, keys

folder = sys.argv[1]
found = {}
files = {name: json.load(open(os.path.join(folder, name))) for name in sorted(os.listdir(folder))}
known = {}
for content in files.values():
    signed = content["signed"]
    for holder in (signed, signed.get("delegations", {})):
        known.update(holder.get("keys", {}))
key_ids = {
    listed: hashlib.sha256(
        formats.encode_canonical({name: key[name] for name in ("keytype", "scheme", "keyval")}).encode()
    ).hexdigest()
    for listed, key in known.items()
}
for name, content in files.items():
    canonical = formats.encode_canonical(content["signed"]).encode()
    good = bad = 0
    for signature in content["signatures"]:
        key = dict(known[signature["keyid"]], keyid=signature["keyid"])
        if keys.verify_signature(key, signature, canonical):
            good += 1
        else:
            bad += 1
    found[name] = {"canonical": hashlib.sha256(canonical).hexdigest(), "good": good, "bad": bad}
json.dump({"files": found, "keyIds": key_ids}, sys.stdout)
