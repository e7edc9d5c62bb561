"""Writes membership.json: the first version of the vectors, made by this implementation itself.

`uv run python tests/vectors/make_membership.py`. The independent reference in tests/crypto checks them.
"""

import hashlib
import json
from pathlib import Path

from rumor.crypto import hashing, membership


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def proof_vector(name: str, size: int, scope_count: int) -> dict[str, object]:
    secrets = [digest(f"rumor vector {name} secret {number}") for number in range(size)]
    mesh_id = digest(f"rumor vector {name} mesh")
    ring = membership.Ring(membership.public_key(secret) for secret in secrets)
    scopes = [
        membership.scope(mesh_id, membership.Purpose.POST, (7).to_bytes(8, "big") + (3).to_bytes(4, "big")),
        membership.scope(mesh_id, membership.Purpose.THREAD, digest(f"rumor vector {name} thread")),
        membership.scope(mesh_id, membership.Purpose.HEART, digest(f"rumor vector {name} heart")),
        membership.scope(mesh_id, membership.Purpose.RENEW, bytes(8)),
    ][:scope_count]
    message, entropy = name.encode(), digest(f"rumor vector {name} entropy")
    proof = membership._prove(secrets[0], ring, scopes, message, entropy)
    return {
        "name": name,
        "keys": [key.hex() for key in ring.keys],
        "root": ring.root.hex(),
        "secret": secrets[0].hex(),
        "scopes": [scope.hex() for scope in scopes],
        "message": message.hex(),
        "entropy": entropy.hex(),
        "tags": [tag.hex() for tag in membership.tags_in(proof, scope_count)],
        "proof": proof.hex(),
    }


def group_vector(label: str, message: bytes) -> dict[str, str]:
    point = hashing.hash_to_point(label.encode(), message)
    return {"label": label, "message": message.hex(), "point": point.encode().hex()}


def main() -> None:
    vectors = {
        "source": "Rumor, version 1; checked by the independent tests/crypto/reference.py",
        "specification": "docs/protocol.md, section 4",
        "hash_to_group": [
            group_vector("rumor/membership/v1/gen", message)
            for message in (b"F", b"H\0\0", b"K\0\0", b"K\4\3")
        ]
        + [group_vector("rumor/membership/v1/tag", bytes(41))],
        "proofs": [
            proof_vector("five members, one scope", 5, 1),
            proof_vector("two members, four scopes", 2, 4),
            proof_vector("twenty members, two scopes", 20, 2),
        ],
    }
    path = Path(__file__).with_name("membership.json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
