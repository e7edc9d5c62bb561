"""Suites: the cryptography of a simulation, shared by all its nodes.

The engine calls its suite for what is quick, and asks its driver for proofs and verdicts; here one object does both.
``Shared`` does the real mathematics, and each proof's once: what one node has verified no other verifies again.
``Ideal`` has the same sizes and rules and no mathematics: tags are hashes of secrets, a proof is its tags with a
keyed hash of all that it binds, and an onion is random bytes that this object knows how to open for whoever has the
relay's secret. What a forger could gain from broken mathematics is thus not simulated, and everything else is.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from ..crypto import membership, onion
from ..crypto.errors import OnionBroken
from ..crypto.membership import Ring
from ..crypto.onion import Delivered, Forwarded, Payload
from ..gossip.events import Job
from ..gossip.idset import IdSet
from ..gossip.suite import RandomBytes, Real, Suite
from .idsets import IdealIds, IdealIdSet
from .seeds import Stream

__all__ = ["SUITES", "Cryptography", "Ideal", "Shared"]

#: Verdicts that are remembered; a proof is asked about by all nodes within minutes.
VERDICTS_MAX: Final = 16_384
#: Layers that can be opened: 200 MB, days of a mesh of a thousand.
LAYERS_MAX: Final = 65_536
_TAG_SIZE: Final = 33


class Cryptography(Suite, Protocol):
    """A suite, with the proofs and verdicts that engines ask their driver for."""

    def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        """A proof of ``membership.proof_size`` bytes that begins with its tags."""
        ...

    def verify(self, ring: Ring, jobs: Sequence[Job]) -> list[bool]:
        """Whether each holds."""
        ...

    def id_set(self) -> IdSet:
        """An empty set of ids of a node that starts with nothing; nodes start with forks."""
        ...


class Shared(Real):
    """Real cryptography; each proof is verified once in a run."""

    def __init__(self, random: Stream) -> None:
        self._random = random
        self._verdicts: OrderedDict[bytes, bool] = OrderedDict()

    def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        # The twin that takes its entropy: a run repeats itself to the byte.
        return membership._prove(secret, ring, scopes, message, self._random.randbytes(32))

    def verify(self, ring: Ring, jobs: Sequence[Job]) -> list[bool]:
        keys = [_digest(ring, job.scopes, job.message, job.proof) for job in jobs]
        new = {key: job for key, job in zip(keys, jobs, strict=True) if key not in self._verdicts}
        claims = [(job.proof, job.scopes, job.message) for job in new.values()]
        verdicts = membership.verify_batch(ring, claims) if claims else []
        self._verdicts.update((key, tags is not None) for key, tags in zip(new, verdicts, strict=True))
        held = [self._verdicts[key] for key in keys]
        while len(self._verdicts) > VERDICTS_MAX:
            self._verdicts.popitem(last=False)
        return held

    def id_set(self) -> IdSet:
        return IdSet()


class Ideal:
    """Cryptography that holds because one object does it all."""

    def __init__(self, random: Stream) -> None:
        self._key = random.randbytes(32)
        self._ids = IdealIds()
        self._publics: dict[bytes, bytes] = {}
        self._proofs: OrderedDict[bytes, tuple[bytes, bytes, bytes]] = OrderedDict()
        self._layers: OrderedDict[bytes, tuple[bytes, Forwarded | Delivered]] = OrderedDict()

    def tag(self, secret: bytes, scope: bytes) -> bytes:
        return b"\x02" + hashlib.sha256(secret + scope).digest()

    def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        ring.index(membership.public_key(secret))  # Raises NotInRing, as the real one does.
        proof = self._seal(ring, scopes, message, b"".join(self.tag(secret, scope) for scope in scopes))
        self._remember(proof, ring, scopes, message)
        return proof

    def verify(self, ring: Ring, jobs: Sequence[Job]) -> list[bool]:
        return [self._holds(ring, job) for job in jobs]

    def id_set(self) -> IdSet:
        return IdealIdSet(self._ids)

    def _holds(self, ring: Ring, job: Job) -> bool:
        # What it made itself is told by comparing, which is quicker than hashing it again for every node.
        known = self._proofs.get(job.proof)
        if known is not None:
            return known == (ring.root, b"".join(job.scopes), job.message)
        tags = job.proof[: _TAG_SIZE * len(job.scopes)]
        return job.proof == self._seal(ring, job.scopes, job.message, tags)

    def _remember(self, proof: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> None:
        self._proofs[proof] = ring.root, b"".join(scopes), message
        if len(self._proofs) > VERDICTS_MAX:
            self._proofs.popitem(last=False)

    def _seal(self, ring: Ring, scopes: Sequence[bytes], message: bytes, tags: bytes) -> bytes:
        sealed = tags + _digest(ring, scopes, message, self._key, tags)
        return sealed.ljust(membership.proof_size(ring.size, len(scopes)), b"\0")

    def relay_keypair(self, randbytes: RandomBytes) -> tuple[bytes, bytes]:
        secret = randbytes(onion.RELAY_KEY_SIZE)
        return secret, self.relay_public(secret)

    def relay_public(self, secret: bytes) -> bytes:
        public = self._publics.get(secret)
        if public is None:
            # Below 2^255, as every encoding of a point is: of others the engine takes none for a key.
            digest = hashlib.sha256(b"public" + secret).digest()
            public = self._publics[secret] = digest[:-1] + bytes([digest[-1] & 0x7F])
        return public

    def wrap(self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes) -> bytes:
        return self.wrap_marked(route, payload, randbytes)[0]

    def wrap_marked(
        self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes
    ) -> tuple[bytes, bytes]:
        layer: Forwarded | Delivered = Delivered(payload=payload, replay_tag=randbytes(onion.REPLAY_TAG_SIZE))
        mark = b""
        for relay_key in reversed(route):
            wrapped = randbytes(onion.ONION_SIZE)
            mark = mark or wrapped
            self._layers[wrapped] = relay_key, layer
            layer = Forwarded(onion=wrapped, replay_tag=randbytes(onion.REPLAY_TAG_SIZE))
        while len(self._layers) > LAYERS_MAX:
            self._layers.popitem(last=False)
        return wrapped, mark

    def open_onion(self, data: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
        entry = self._layers.get(data)
        if entry is None or entry[0] != (public or self.relay_public(secret)):
            raise OnionBroken
        return entry[1]


def _digest(ring: Ring, scopes: Sequence[bytes], message: bytes, *rest: bytes) -> bytes:
    parts = (ring.root, *scopes, message, *rest)
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


SUITES: Final[Mapping[str, Callable[[Stream], Cryptography]]] = {"ideal": Ideal, "real": Shared}
