/**
 * Whether what a server of the broker replays can be believed. What is published while it subscribes us may be neither replayed nor
 * live, and its list may stand still while another one is down: so we subscribe, look whether the list of one of several servers
 * comes to a mark that we retain, and subscribe again (broker/mqtt/session.py).
 */
import type { MqttClient } from "mqtt";

/** Milliseconds to wait for a mark after each look for it. */
const LOOKS = [50, 100, 200, 400, 800, 1600];

/** What we wait for on our topic, the first one first. */
const awaited = new Map<string, () => void>();

export function drawn(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Something came on our topic: a nonce; or a mark, with it those before, if it was retained. */
export function cameBack(payload: string, retained: boolean): void {
  if (!awaited.has(payload) || payload.startsWith("mark") !== retained) return;
  for (const [one, found] of [...awaited]) {
    if (one === payload || (retained && one.startsWith("mark"))) found();
    if (one === payload) return;
  }
}

/** Whether it comes back within so many milliseconds. */
function back(what: string, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patience);
    awaited.set(what, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Send a nonce behind the subscriptions: when it is back, everything that was retained is in. */
export async function replayed(here: MqttClient, sync: string, patience: number): Promise<boolean> {
  const nonce = drawn(8);
  const answer = back(nonce, patience);
  await here.publishAsync(sync, nonce, { qos: 1 });
  const came = await answer;
  awaited.delete(nonce);
  return came;
}

/** Whether what is retained now is soon among what this server replays. */
export async function listMoves(here: MqttClient, sync: string): Promise<boolean> {
  const mark = `mark${drawn(8)}`;
  const topic = `${sync}/${mark}`; // one that no list knows: what it knows it looks up, even if it stands still
  let found = false;
  await here.publishAsync(topic, mark, { qos: 1, retain: true });
  for (const pause of LOOKS) {
    const answer = back(mark, pause);
    await here.subscribeAsync(`${sync}/+`, { qos: 1 });
    found = await answer;
    if (found) break;
  }
  awaited.delete(mark);
  await here.publishAsync(topic, "", { qos: 1, retain: true });
  return found;
}
