"""The table of all labels: what keeps a hash made for one purpose from being read for another.

Not a place for logic. Every hash, key derivation and generator of this package and of the gossip starts with
exactly one of these byte strings. A label is never reused and never a prefix of another; changing one is a
new version of its format. The same strings stand in docs/protocol.md. Each block names the
modules that use it.
"""

from typing import Final

# membership, rings: the proof and the things it is made of.
TAG_BASE: Final = b"rumor/membership/v1/tag"
GENERATORS: Final = b"rumor/membership/v1/gen"
RING_ROOT: Final = b"rumor/membership/v1/root"
TAG_MIX: Final = b"rumor/membership/v1/mu"
CHALLENGE: Final = b"rumor/membership/v1/xi"
PROVER_NONCES: Final = b"rumor/membership/v1/nonces"

# possession: what a newcomer signs with the key that is to be admitted.
ADMISSION: Final = b"rumor/admission/v1"
# possession: what the founder signs when it admits somebody plainly.
FOUNDER: Final = b"rumor/founder/v1"

# keys: what people see of a key.
FINGERPRINT: Final = b"rumor/fingerprint/v1"

# seeds: the values of one post.
POST_REPLY: Final = b"rumor/secret/v1/reply"
POST_RETRACTION: Final = b"rumor/secret/v1/retraction"
RETRACTION: Final = b"rumor/retraction/v1"

# layers: the keys of one layer of an onion.
ONION_LAYER: Final = b"rumor/onion/v1/layer"

# roots: the two keys that 24 words stand for.
ROOT_NODE: Final = b"rumor/root/v1/node"
ROOT_MEMBER: Final = b"rumor/root/v1/member"

# archive: the associated data of a backup.
ARCHIVE: Final = b"rumor/backup/v1"

# whispers: the MAC key of one direction of a conversation.
WHISPER: Final = b"rumor/whisper/v1/mac"

# vault: the associated data of a wrapped key.
VAULT: Final = b"rumor/vault/v1"

# invites: the check of a typed URI, and the identity that an invitation lends to its holder.
INVITATION_CHECK: Final = b"rumor/invitation/v1/check"
INVITATION_IDENTITY: Final = b"rumor/invitation/v1/identity"

# befriending: the mesh id, commitment, transcript, signatures and words.
GENESIS: Final = b"rumor/genesis/v1"
BEFRIEND_COMMITMENT: Final = b"rumor/befriending/v1/commitment"
BEFRIEND_JOINER: Final = b"rumor/befriending/v1/joiner"
BEFRIEND_INVITER: Final = b"rumor/befriending/v1/inviter"
BEFRIEND_WORDS: Final = b"rumor/befriending/v1/words"

# node.friends: what a confirmation says was compared.
WORDS_CONFIRMED: Final = b"rumor/words/v1/confirm"

# gossip.items: the id of an item.
ITEM: Final = b"rumor/item/v1"
# gossip.bodies: the nonce of a thread.
THREAD: Final = b"rumor/thread/v1"
# gossip.personas: the face that goes with a tag.
PERSONA: Final = b"rumor/persona/v1"
# gossip.packets: the id of a packet.
PACKET: Final = b"rumor/packet/v1"
# gossip.relay_book: the digest of the relay keys that are eligible.
RELAY_ROOT: Final = b"rumor/relays/v1/root"
# gossip.spreading.choice: private choices of friends.
STEM_CHOICE: Final = b"rumor/stem/v1/choice"

# gossip.reconciliation and gossip.idset: what hides which items two friends compare.
RECONCILIATION_SALT: Final = b"rumor/reconciliation/v1/salt"
RECONCILIATION_ID: Final = b"rumor/reconciliation/v1/id"
RECONCILIATION_FINGERPRINT: Final = b"rumor/reconciliation/v1/fingerprint"
