// Text: what others wrote, made harmless for the eyes. As markup it is harmless anyway, since none is parsed.

// The same characters that `rumor feed` leaves out: direction overrides, invisible joiners and the like; and the tag
// characters, by which a text could carry another one that nobody sees.
const INVISIBLE =
  /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
// Eight marks on one letter is more than any language has; a thousand draw over the whole page.
const PILED = /(\p{M}{8})\p{M}+/gu;
const GAP = /\n[^\S\n]*(?:\n[^\S\n]*){2,}/g;

/** A stranger's text without what could rearrange the page. */
export function safe(text) {
  return text.replace(INVISIBLE, "").replace(PILED, "$1").replace(GAP, "\n\n");
}

const encoder = new TextEncoder();

/** Bytes that the node will count. */
export function sizeOf(...texts) {
  return texts.reduce((sum, text) => sum + encoder.encode(text.normalize("NFC").trim()).length, 0);
}

/** How large a secret is written: short ones are shouted a little. */
export function weightOf(text) {
  return text.length < 60 ? "short" : text.length < 200 ? "middling" : "long";
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** A clause with a capital and a full stop. */
export function sentence(clause) {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}${/[.!?]$/.test(clause) ? "" : "."}`;
}

/** A sentence of the node with its day as people say it; the node's days are those of UTC. */
export function dated(text, now = new Date()) {
  return text.replace(/\b\d{4}-\d\d-\d\d\b/, (day) =>
    day === now.toISOString().slice(0, 10)
      ? "today"
      : new Date(day).toLocaleDateString("en", { day: "numeric", month: "long", timeZone: "UTC" }),
  );
}

/** Seconds as people say them. */
export function inWords(seconds) {
  for (const [size, one, many] of [
    [86400, "day", "days"],
    [3600, "hour", "hours"],
    [60, "minute", "minutes"],
  ]) {
    if (seconds >= 2 * size) return `${Math.ceil(seconds / size)} ${many}`;
    if (seconds === size) return `1 ${one}`;
  }
  return count(Math.max(1, Math.ceil(seconds)), "second");
}

/** About when something was written. The epoch's start is all that anybody knows, so an hour is named and no minute. */
export function about(iso, now = new Date()) {
  const then = new Date(iso);
  const hours = Math.floor((now - then) / 3_600_000);
  if (hours < 1) return "lately";
  if (hours < 24) return `${count(hours, "hour")} ago`;
  if (hours < 24 * 7) return `${count(Math.floor(hours / 24), "day")} ago`;
  return then.toLocaleDateString("en", { day: "numeric", month: "long" });
}
