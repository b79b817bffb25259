/**
 * Who keeps a job waiting for its lock, and how many wait before it. The first of a queue say themselves who holds it; for the
 * others it is taken from the lock's document, in the same words (schemas/holders.py, jobplan/client/holders.py).
 */
import { computed } from "@preact/signals";
import type { Blocker, JobState, LockClaim, LockState } from "./documents";
import { locks } from "./picture";
import { words } from "./words";

interface Place {
  lock: LockState;
  before: number;
}

/** How many holders are named. */
const SHOWN = 3;

/** A lock's name alone does not say in which environment group: so by lock, and who waits. */
const key = (lock: string, instance: string, job: string): string => `${lock}\n${instance}\n${job}`;

const places = computed(() => {
  const found = new Map<string, Place>();
  for (const lock of locks()) {
    lock.queue?.forEach((claim, before) => found.set(key(lock.lock, claim.instance, claim.job), { lock, before }));
  }
  return found;
});

/** What keeps a job from running; a lock with who holds it. */
export function blockersOf(job: JobState): Blocker[] {
  const blockers = job.blockers ?? [];
  return job.status === "LOCK_QUEUED" ? blockers.map((blocker) => explained(blocker, job)) : blockers;
}

function explained(blocker: Blocker, job: JobState): Blocker {
  const place = places.value.get(key(blocker.lock ?? "", job.instance, job.job));
  if (place === undefined || blocker.kind !== "lock") return blocker;
  const { lock, before } = place;
  const holders = lock.holders ?? [];
  const said = (blocker.holders ?? []).length > 0 || holders.length === 0;
  const text = said ? blocker.text : words.locks.waits(lock.lock, named(holders, job.instance), holders.length - SHOWN);
  return { ...blocker, text: before > 0 ? text + words.locks.before(before) : text };
}

function named(holders: LockClaim[], own: string): string[] {
  return holders
    .slice(0, SHOWN)
    .map((one) => words.locks.holder(one.name ?? one.job, one.instance === own ? undefined : one.instance, one.since));
}
