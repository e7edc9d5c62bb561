// Parting: how a conversation ends, for good or until the other begins anew, and how nobody else begins one.

import { put, remove } from "./api.js";
import { refreshWhispers } from "./correspondence.js";
import { confirmed } from "./dialog.js";
import { menu } from "./menu.js";
import { back } from "./router.js";
import { say, tried } from "./voice.js";
import { CLOSED, OPENED, TAKE_NO_WHISPERS, TAKE_WHISPERS } from "./whisper.js";

const ERASED = "All its letters are erased from this node, and what waits to leave does not leave.";

/** The menu of a conversation; `left()` is called before it is gone. */
export function partings({ id, secret, mine, closed }, left) {
  const part = async (title, sentence, yes, done, request) => {
    if (!(await confirmed(title, [ERASED, sentence], { yes, isDangerous: true }))) return;
    if (!(await tried(request))) return;
    left();
    refreshWhispers();
    await back();
    say(done);
  };
  const end = () =>
    part(
      "End this conversation?",
      mine
        ? "Whatever this person still whispers to you about this secret is dropped unseen. They are not told."
        : "What the author still answers reaches nobody. They are not told.",
      "End it",
      "Ended, and erased here.",
      () => put(`/whispers/${id}/ended`),
    );
  const erase = () =>
    part(
      "Erase these letters?",
      "The other keeps what has arrived. If they whisper again about this secret, that begins anew.",
      "Erase them",
      "Erased here.",
      () => remove(`/whispers/${id}`),
    );
  const close = async () => {
    if (!(await tried(() => (closed ? remove : put)(`/secrets/${secret.id}/closed`)))) return;
    say(closed ? OPENED : CLOSED);
    refreshWhispers();
  };
  return menu("More to do", [
    // Of a secret that is gone nobody can begin to whisper anyway.
    mine && secret.text !== null && { text: closed ? TAKE_WHISPERS : TAKE_NO_WHISPERS, run: close },
    mine && { text: "Erase the letters", run: erase },
    { text: "End the conversation", isDangerous: true, run: end },
  ]);
}
