"""The mesh: members who are all in the roster before the simulation starts.

Nobody wants to wait for a thousand admissions in each run, and a made-up roster would be another than engines have.
So the records are those that a real mesh would have: the founder admits the first few plainly, then in every epoch
each eligible member admits one more, by proof over the ring of that epoch. They enter one ``Holdings`` by the front
door, and all nodes start with forks of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ..crypto import curve, membership, possession
from ..crypto.errors import InvalidKey
from ..gossip.bodies import AdmissionBody, Kind, RelayKeyBody
from ..gossip.events import RelayKeyMade
from ..gossip.genesis import Genesis, Parameters
from ..gossip.holdings import Holdings
from ..gossip.items import Item, message_of
from ..gossip.renewal import EARLY_SHARE
from ..gossip.roster import MATURITY_EPOCHS
from .seeds import Stream
from .suites import Cryptography

__all__ = ["BEGAN_AT", "Mesh", "found"]

#: Seconds since 1970 at which every run begins; a multiple of a day, so that an epoch of any usual length begins.
BEGAN_AT: Final = 1_800_000_000 - 1_800_000_000 % 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A mesh whose members are all eligible at ``BEGAN_AT``."""

    genesis: Genesis
    secrets: tuple[bytes, ...] = field(repr=False)
    """The member secrets, 32 bytes each; the founder's first."""
    holdings: Holdings
    """The records; nodes start with forks."""
    relay_keys: tuple[RelayKeyMade, ...] = field(repr=False)
    """Each member's relay key of the first day; none in a mesh that uses no onions."""


def found(
    node_count: int, parameters: Parameters, cryptography: Cryptography, random: Stream, *, onions: bool
) -> Mesh:
    """Founds a mesh and admits everybody; with ``onions`` everybody has a relay key that may be used."""
    members = [_keypair(random.stream(f"member {number}")) for number in range(node_count)]
    genesis = Genesis.found("simulated", members[0][1], parameters)
    holdings = Holdings(genesis, cryptography.id_set)
    for plan in _plan(
        node_count, parameters.founding_size, parameters.relay_day_epochs, genesis.epoch_at(BEGAN_AT)
    ):
        admission = _admission(genesis, members, plan, holdings, cryptography)
        ring = None if admission.by_founder else holdings.roster.ring_at(plan.epoch)
        holdings.keep(admission, ring)
    holdings.roster.rings.changes()  # Nothing of this is news to anybody.
    ring = holdings.roster.ring_at(genesis.epoch_at(BEGAN_AT))
    assert ring is not None
    assert ring.size == node_count
    relay_keys = [
        _relay_key(genesis, secret, holdings, cryptography, random.stream(f"relay key {number}"))
        for number, (secret, _) in enumerate(members if onions else ())
    ]
    return Mesh(
        genesis=genesis,
        secrets=tuple(secret for secret, _ in members),
        holdings=holdings,
        relay_keys=tuple(relay_keys),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    newcomer: int
    sponsor: int
    slot: int
    epoch: int


def _plan(node_count: int, founding_size: int, relay_day_epochs: int, now_epoch: int) -> list[_Plan]:
    """Who admits whom and when, so that all are eligible now."""
    founding = min(node_count, founding_size)
    eligible, admitted, waves = [founding, founding], founding, list[list[tuple[int, int]]]()
    while admitted < node_count:
        wave = [(admitted + number, number) for number in range(min(eligible[-2], node_count - admitted))]
        waves.append(wave)
        admitted += len(wave)
        eligible.append(admitted)
    # Two relay days ago, so that all were members when the relay keys of the first day were made.
    first = now_epoch - 2 * relay_day_epochs - MATURITY_EPOCHS - max(0, len(waves) - 1)
    plans = [_Plan(number, 0, number, first) for number in range(1, founding)]
    for offset, wave in enumerate(waves):
        plans += [_Plan(newcomer, sponsor, 0, first + offset) for newcomer, sponsor in wave]
    return plans


def _admission(
    genesis: Genesis,
    members: list[tuple[bytes, bytes]],
    plan: _Plan,
    holdings: Holdings,
    cryptography: Cryptography,
) -> Item:
    secret, key = members[plan.newcomer]
    proof_of_possession = _deterministic(
        lambda randomness: possession._sign(
            secret, possession._admission_digest(key, genesis.mesh_id), randomness
        )
    )
    body = AdmissionBody(slot=plan.slot, key=key, possession=proof_of_possession)
    message = message_of(plan.epoch, body)
    sponsor = members[plan.sponsor][0]
    if plan.newcomer < genesis.parameters.founding_size:
        digest = possession.founder_digest(genesis.mesh_id, message)
        signature = _deterministic(lambda randomness: possession._sign(sponsor, digest, randomness))
        return Item(Kind.ADMISSION, plan.epoch, body, (), signature, b"")
    ring = holdings.roster.ring_at(plan.epoch)
    assert ring is not None
    scopes = body.scopes(genesis.mesh_id, plan.epoch)
    proof = cryptography.prove(sponsor, ring, scopes, message)
    return Item(Kind.ADMISSION, plan.epoch, body, tuple(membership.tags_in(proof, 1)), proof, ring.root)


def _relay_key(
    genesis: Genesis, secret: bytes, holdings: Holdings, cryptography: Cryptography, random: Stream
) -> RelayKeyMade:
    """Makes a member's key for the first relay day, as its node would have the day before, and enters its record."""
    parameters = genesis.parameters
    today = parameters.relay_day_at(genesis.epoch_at(BEGAN_AT))
    # In the first 40 % of the day before: old enough now, whatever the hour.
    early = max(1, int(EARLY_SHARE * parameters.relay_day_epochs))
    epoch = (today - 1) * parameters.relay_day_epochs + random.randrange(early)
    relay_secret, public = cryptography.relay_keypair(random.randbytes)
    body = RelayKeyBody(relay_day=today, key=public)
    ring = holdings.roster.ring_at(epoch)
    assert ring is not None
    scopes = body.scopes(genesis.mesh_id, epoch)
    proof = cryptography.prove(secret, ring, scopes, message_of(epoch, body))
    record = Item(Kind.RELAY_KEY, epoch, body, tuple(membership.tags_in(proof, 1)), proof, ring.root)
    holdings.keep(record, ring)
    return RelayKeyMade(relay_day=today, epoch=epoch, secret=relay_secret)


def _deterministic(sign: Callable[[bytes], bytes]) -> bytes:
    """BIP-340 without auxiliary randomness, which only guards against faulty hardware: a run repeats itself."""
    return sign(bytes(32))


def _keypair(random: Stream) -> tuple[bytes, bytes]:
    while True:
        secret = random.randbytes(curve.SCALAR_SIZE)
        try:
            return secret, membership.public_key(secret)
        except InvalidKey:  # Once in 2^127 draws.
            continue
