// The correspondence: all conversations of whispers, as the node knows them, shared by all who show a part of it.

import { get } from "./api.js";
import { listen } from "./live.js";
import { say, speak } from "./voice.js";

const NONE = { conversations: [], unread: 0 };

let known = NONE;
const watchers = new Set();

export const correspondence = () => known;
export const conversation = (id) => known.conversations.find((each) => each.id === id);
export const about = (secret) => known.conversations.filter((each) => each.secret.id === secret);

/** Calls `watcher` at each change, until the function that it returns is called. */
export function watchWhispers(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Asks anew. Without a mesh there is nothing; without an answer it stays as it was. */
export async function refreshWhispers() {
  try {
    known = await get("/whispers");
  } catch (error) {
    if (error.status === undefined) throw error;
    if (error.status === 409) known = NONE;
  }
  for (const watcher of [...watchers]) watcher();
}

/** Keeps it fresh, until the function that it returns is called; then all of it is forgotten. */
export function keepWhispers() {
  const stop = listen(async (event, data) => {
    if (event !== "whisper" && event !== "again") return;
    await refreshWhispers();
    if (event === "again" || data.mine) return;
    const letter = conversation(data.conversation)?.letters.find(({ id }) => id === data.id);
    // What has a word that somebody does not want to see calls nobody.
    if (!letter || letter.read || letter.filtered) return;
    if (document.body.dataset.section === "conversation") speak("A whisper came.");
    else say("A whisper came for you.");
  });
  refreshWhispers();
  return () => {
    stop();
    known = NONE;
  };
}
