// Figures: what there is to know of the mesh in numbers, each with one sentence of what it means and a word on whether
// it is good. The marks are ours: at the upper ends are the circles and waits that were measured (docs/simulator.md).

import { h } from "./dom.js";
import { count, inWords } from "./text.js";

const GOOD = "good";
const FAIR = "fair";
const POOR = "poor";

const MEMBERS = { few: 8, small: 50 }; // In fewer than eight nothing was measured; fifty is the smallest that was.
const KEYS_GOOD = 32; // What docs/threat-model.md recommends to a grown mesh.
const LATE_S = { good: 30 * 60, fair: 3 * 3600 };
const PACE_S = { good: 20 * 60, fair: 3600 };
const STEP_S = 1800; // A finer one tells more of who was awake.
const DAY_MB = { light: 300, heavy: 1000 };
const MUSIC_MB = 58; // An hour of music at 128 kbit/s, which most people have an idea of.
const BACK = { good: 0.8, fair: 0.5 };
const DISK_BYTES = 1e9;

const figure = (name, value, sentence, verdict = null) =>
  h(
    "div",
    { class: "fact" },
    h("dt", {}, name),
    h(
      "dd",
      {},
      h("span", { class: "fact-value" }, value),
      verdict ? h("span", { class: `verdict ${verdict[0]}` }, verdict[1]) : null,
      h("span", { class: "quiet" }, sentence),
    ),
  );

/** The verdict on a number of which little is good. */
const soon = (value, marks, [good, fair, poor]) =>
  value <= marks.good ? [GOOD, good] : value <= marks.fair ? [FAIR, fair] : [POOR, poor];

function members({ members: all, ring_size: ring, epoch_s: step }) {
  const counting =
    ring < all
      ? `${ring.toLocaleString("en")} of them count for it now, newcomers after ${inWords(2 * step)}.`
      : "All of them count for it now.";
  return figure(
    "Members",
    all.toLocaleString("en"),
    `A post shows that one of the members wrote it and not which one: the more there are, the better. ${counting}`,
    ring < MEMBERS.few ? [POOR, "too few"] : ring < MEMBERS.small ? [FAIR, "a small circle"] : [GOOD, "good"],
  );
}

function relayKeys({ relay_keys: keys, relay_keys_min: least }, { ring_size: ring }) {
  const asked = least ? ` Nobody can post with fewer than ${least}.` : "";
  const enough = Math.min(KEYS_GOOD, Math.max(least, ring / 2));
  return figure(
    "Relay keys",
    keys.toLocaleString("en"),
    `Posts are passed on by members who lend a key for the day, and nobody knows whose it is. Best is one of each member.${asked}`,
    keys < least ? [POOR, "too few yet"] : keys < enough ? [FAIR, "enough"] : [GOOD, "good"],
  );
}

const epoch = ({ epoch_s: step }) =>
  figure(
    "Epoch",
    inWords(step),
    "The step in which time is told: whoever reads a post learns in which one it was written, and nothing finer.",
    step < STEP_S ? [FAIR, "short"] : [GOOD, "good"],
  );

const pace = ({ own_clock: clock }) =>
  clock.running
    ? figure(
        "Pace",
        `every ${inWords(clock.interval_s)}`,
        "So often your node sends a packet of its own, on average, whether you have written something or not. That is why nobody sees when you do.",
        soon(clock.interval_s, PACE_S, ["good", "unhurried", "slow"]),
      )
    : figure("Pace", "not yet", clock.waits_for, [POOR, "waiting"]);

function traffic({ own_clock: clock }, cover) {
  const megabytes = Math.round(clock.bytes_per_day / 1e6);
  const hours = megabytes / MUSIC_MB;
  const music = hours < 2 ? "less than two hours" : `${Math.round(hours).toLocaleString("en")} hours`;
  const cells = cover.rate
    ? ` You have chosen ${Math.round(cover.mb_per_friend_day).toLocaleString("en")} MB for each friend on top of it.`
    : "";
  return figure(
    "Budget of a day",
    `${megabytes.toLocaleString("en")} MB`,
    `What comes in, and on average goes out, on a full day, as agreed on when the mesh was founded: each way as much as ${music} of music.${cells}`,
    megabytes <= DAY_MB.light
      ? [GOOD, "light"]
      : megabytes <= DAY_MB.heavy
        ? [FAIR, "noticeable"]
        : [POOR, "heavy"],
  );
}

function waiting({ slot_wait_s: slot, relaying_s: relaying }, isAllowed) {
  return figure(
    "A post now takes",
    inWords(slot + relaying),
    `${inWords(slot)} until it leaves and ${inWords(relaying)} on its way, on average; it may be three times that. The waiting is what hides you.`,
    isAllowed ? soon(slot + relaying, LATE_S, ["good", "unhurried", "slow"]) : [POOR, "once you can post"],
  );
}

function loops({ loops_returned: returned, loops_lost: lost }) {
  const all = returned + lost;
  const share = all ? returned / all : 0;
  return figure(
    "Test packets",
    all ? `${returned.toLocaleString("en")} of ${all.toLocaleString("en")} back` : "none yet",
    "Now and then your node sends a packet round to itself, to see whether those who pass packets on really do.",
    !all
      ? null
      : share >= BACK.good
        ? [GOOD, "good"]
        : [share >= BACK.fair ? FAIR : POOR, share >= BACK.fair ? "some get lost" : "many get lost"],
  );
}

function packets({ packets_in: received, packets_out: sent, cover_packets: empty }) {
  return figure(
    "Packets",
    `${received.toLocaleString("en")} in`,
    `${sent.toLocaleString("en")} went out since your node began, most of them passed on for others. ${empty.toLocaleString("en")} of your own had nothing in them, so that one with something in it does not stand out.`,
    received && sent ? [GOOD, "flowing"] : [FAIR, "none yet"],
  );
}

function disk({ items }, bytes) {
  return figure(
    "On your disk",
    `${Math.round(bytes / 1e6).toLocaleString("en")} MB`,
    `${count(items, "post and record", "posts and records")} of the mesh, and packets for friends who were away; all encrypted, and the oldest go first.`,
    bytes < DISK_BYTES ? [GOOD, "good"] : [FAIR, "much"],
  );
}

/** All figures of a status. */
export const figures = ({ mesh, mixing, post, cover, disk_bytes: bytes }) =>
  h(
    "dl",
    { class: "facts" },
    members(mesh),
    relayKeys(mixing, mesh),
    pace(mixing),
    waiting(mixing, post.allowed),
    traffic(mixing, cover),
    epoch(mesh),
    loops(mixing),
    packets(mixing),
    disk(mesh, bytes),
  );
