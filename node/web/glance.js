// A second look: what in a text may name its author, or somebody else. Hints for the person, and never a judgement: the
// node would take the text as it is.

const CHECKS = [
  [
    /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/u,
    (found) => `“${found}” looks like an e-mail address.`,
  ],
  [
    /(?:https?:\/\/|www\.)\S+|\b[a-z0-9-]+\.(?:com|org|net|io|de|fr|eu|uk|info|app|me)\b(?:\/\S*)?/i,
    (found) => `“${found}” looks like a link: it may lead to you, and who opens it is seen there.`,
  ],
  [
    /(?:\+|\b00|\(0|\b0)?\d(?:[\s()/.-]{0,2}\d){6,14}\b/,
    (found) => `“${found.trim()}” looks like a phone number.`,
  ],
  [
    /\b\d{1,5}[a-z]?,?\s+(?:[\p{Lu}][\p{L}'-]*\s+){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|way|square|court|place)\b|[\p{Lu}][\p{L}-]*(?:straße|strasse|gasse|allee|platz|weg)\s+\d{1,4}\b|\b\d{1,4},?\s+(?:rue|avenue|boulevard|place)\s+\p{L}+/iu,
    (found) => `“${found}” looks like a street address.`,
  ],
];

const NAME_LENGTH_MIN = 3; // "Al" and "Jo" stand inside of half of all sentences.

/** Sentences about what is worth a second look; empty if nothing is. `names` are the friends' local nicknames. */
export function secondLook(text, names) {
  const hints = CHECKS.flatMap(([pattern, hint]) => {
    const found = text.match(pattern);
    return found ? [hint(found[0])] : [];
  });
  for (const name of names) {
    const escaped = name.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    if (name.trim().length < NAME_LENGTH_MIN) continue;
    if (new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "iu").test(text)) {
      hints.push(
        `It names “${name.trim()}”, as you call a friend of yours. Few people know them, and you are one.`,
      );
    }
  }
  return hints;
}
