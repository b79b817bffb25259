/**
 * The newest snapshot of every topic that is followed. The newest wins; after a replay, what it did not confirm is dropped
 * where its writer says that it shows everything. Whoever reads from it is drawn again when `changes` counts up: reading says so by
 * itself, for a component that reads any signal is not drawn again with the one around it.
 */
import { signal } from "@preact/signals";
import type { Header, InstanceStatus, JobState, LockState, PlanStatus, Presence } from "./documents";
import { escape, matches } from "./topics";

interface Seen {
  document: Header;
  order: number[];
  replay: number;
}

const changes = signal(0);
export const unreadable = signal(0);

const WIRE_VERSION = 1;
/** Milliseconds: what was written so soon after a connection began is its will. */
const WILL = 100;
const seen = new Map<string, Seen>();
interface Cleared {
  /** What stood there. */
  stood: number[];
  /** How far the dashboard, whose it was, had come by then. */
  until: number[];
}

/** What was cleared before our eyes, the oldest first. */
const cleared = new Map<string, Cleared>();
const MOST_CLEARED = 1000;
const NOWHERE = [0, 0];
let reached = NOWHERE;
let replay = 0;
let drawing = false;
let settled = false;
/** When a node was seen to go; its will was written when it came. */
const wentAt = new Map<string, string>();

/** At most one drawing a frame, however much arrives; a page in the background is drawn now and then. */
function changed(): void {
  if (drawing) return;
  drawing = true;
  const draw = (): void => {
    drawing = false;
    changes.value += 1;
  };
  if (document.hidden) setTimeout(draw, 250);
  else requestAnimationFrame(draw);
}

const stampOf = (header: Header): number[] => [header.epoch, header.revision];

/** Compared number by number: a will outranks its own connection, and never the next one. */
function orderOf(header: Header): number[] {
  const presence = header as Presence;
  const gone = presence.state === "gone" ? 1 : 0;
  return [header.epoch, presence.connection ?? 0, gone, header.revision];
}

function isOlder(one: number[], other: number[]): boolean {
  for (let place = 0; place < one.length; place += 1) {
    const difference = (one[place] ?? 0) - (other[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** What stands for a while on a topic that was cleared, where the broker is NATS. */
const TOMBSTONE = '{"clearedBy":';

/** Its writer cleared a topic. Of a presence that tells nothing: who lives says it again, and who does not is told of by a will. */
function clear(topic: string): void {
  const known = seen.get(topic);
  const stood = known === undefined ? (cleared.get(topic)?.stood ?? NOWHERE) : stampOf(known.document);
  if (seen.delete(topic)) changed();
  if (isPresence(topic)) return;
  cleared.delete(topic);
  cleared.set(topic, { stood, until: reached });
  const [oldest] = cleared.keys();
  if (cleared.size > MOST_CLEARED && oldest !== undefined) cleared.delete(oldest);
}

const isPresence = (topic: string): boolean => topic.endsWith("/presence");

/**
 * Whether what comes had been cleared. A replay brings it back where the broker, or the server of it that we are at now, shows an
 * older store; live, a writer's documents come in order on one topic alone: what is older than what stood there is passed on a second
 * time (NATS).
 */
function wasGone(topic: string, stamp: number[], retained: boolean): boolean {
  const before = cleared.get(topic);
  if (before === undefined) return false;
  return retained ? !isOlder(before.until, stamp) : isOlder(stamp, before.stood);
}

export function take(topic: string, payload: string, retained: boolean): void {
  if (payload === "" || payload.startsWith(TOMBSTONE)) {
    if (!retained) clear(topic); // a tombstone that is replayed says no more than that nothing stands there
    return;
  }
  let header: Header;
  try {
    header = JSON.parse(payload) as Header;
  } catch {
    unreadable.value += 1;
    return;
  }
  if (header.v !== WIRE_VERSION) {
    unreadable.value += 1;
    return;
  }
  const order = orderOf(header);
  const stamp = stampOf(header);
  if (wasGone(topic, stamp, retained)) return;
  cleared.delete(topic);
  if (!topic.startsWith("agent/") && isOlder(reached, stamp)) reached = stamp;
  const before = seen.get(topic);
  if (before !== undefined && isOlder(order, before.order)) {
    before.replay = replay;
    return;
  }
  if ((header as Presence).state === "gone" && settled) wentAt.set(topic, new Date().toISOString());
  seen.set(topic, { document: header, order, replay });
  changed();
}

export function beginReplay(): void {
  replay += 1;
  settled = false;
}

/** A replay is complete; `proved`: and has all that stands. */
export function settle(proved: boolean): void {
  settled = true;
  const dashboard = at<Presence>("dashboard/presence");
  if (proved && dashboard?.state === "alive" && dashboard.complete) {
    for (const [topic, one] of seen) {
      if (one.replay !== replay && !isPresence(topic)) seen.delete(topic);
    }
  }
  changed();
}

/** No longer followed. */
export function forget(filter: string): void {
  for (const topic of [...seen.keys()]) if (matches(filter, topic)) seen.delete(topic);
}

export function forgetAll(): void {
  seen.clear();
  cleared.clear();
  reached = NOWHERE;
  changed();
}

export function at<T extends Header>(topic: string): T | undefined {
  void changes.value;
  return seen.get(topic)?.document as T | undefined;
}

function all<T extends Header>(filter: string): T[] {
  void changes.value;
  const found: T[] = [];
  for (const [topic, one] of seen) if (matches(filter, topic)) found.push(one.document as T);
  return found;
}

const byName = (one: string, other: string): number => one.localeCompare(other, "en", { numeric: true });

/** Since when a node is gone: as it said itself, or as it was seen; undefined: it went before anybody here looked. */
export function goneSince(topic: string): string | undefined {
  const presence = at<Presence>(topic);
  if (presence === undefined || presence.state === "alive") return undefined;
  return Date.parse(presence.at) - Date.parse(presence.since) > WILL ? presence.at : wentAt.get(topic);
}

export const dashboard = (): Presence | undefined => at<Presence>("dashboard/presence");
export const agents = (): Presence[] =>
  all<Presence>("agent/+/presence").sort((one, other) => byName(one.node, other.node));
export const plans = (): PlanStatus[] => all<PlanStatus>("plan/+").sort((one, other) => byName(one.plan, other.plan));
export const plan = (name: string): PlanStatus | undefined => at<PlanStatus>(`plan/${escape(name)}`);
export const instance = (id: string): InstanceStatus | undefined => at<InstanceStatus>(`instance/${id}`);
export const locks = (): LockState[] => all<LockState>("lock/+").sort((one, other) => byName(one.lock, other.lock));
export const jobs = (id: string): JobState[] =>
  all<JobState>(`instance/${id}/job/+/+`).sort((one, other) => one.order - other.order);

/** Those that are not over first, then the newest. */
export const instances = (): InstanceStatus[] =>
  all<InstanceStatus>("instance/+").sort(
    (one, other) =>
      Number(one.status === "ENDED") - Number(other.status === "ENDED") ||
      Number(one.status !== "RUNNING" && one.status !== "ERROR") -
        Number(other.status !== "RUNNING" && other.status !== "ERROR") ||
      other.opens.localeCompare(one.opens) ||
      byName(one.instance, other.instance),
  );
