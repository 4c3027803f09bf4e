"""Reads metadata as libaktualizr does, with nothing but Python's json and cryptography: key ids, canonical bytes, signatures.

Usage: check-aktualizr-tree.py FOLDER; every .json below it, each against the keys of all. Writes {FILE: {canonical, keyIds, good, bad}}:
whether the file is its own canonical form, whether its key ids are those libaktualizr makes, and the signatures.
"""
import base64
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

folder = pathlib.Path(sys.argv[1])


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def key_id(key):
    return hashlib.sha256(canonical(key["keyval"]["public"].rstrip("\n"))).hexdigest()


def is_good(key, method, signature, message):
    public = key["keyval"]["public"]
    try:
        if key["keytype"] == "ED25519" and method == "ed25519":
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
            return True
        if key["keytype"] == "RSA" and method == "rsassa-pss-sha256":
            scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
            serialization.load_pem_public_key(public.encode()).verify(signature, message, scheme, hashes.SHA256())
            return True
    except InvalidSignature:
        pass
    return False


contents = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.json"))}
files = {name: json.loads(content) for name, content in contents.items()}
known = {}
for content in files.values():
    for holder in (content["signed"], content["signed"].get("delegations", {})):
        known.update(holder.get("keys", {}))
found = {}
for name, content in files.items():
    message = canonical(content["signed"])
    verdicts = [
        is_good(known[one["keyid"]], one["method"], base64.b64decode(one["sig"], validate=True), message)
        for one in content["signatures"]
    ]
    listed = {**content["signed"].get("keys", {}), **content["signed"].get("delegations", {}).get("keys", {})}
    found[name] = {
        "canonical": canonical(content) == contents[name],
        "keyIds": all(key_id(key) == listed_id for listed_id, key in listed.items()),
        "good": verdicts.count(True),
        "bad": verdicts.count(False),
    }
json.dump(found, sys.stdout)
