/** Times, durations and sizes as people read them, in the zone that is chosen. */
import { computed, signal } from "@preact/signals";
import type { InstanceStatus, JobState, Status } from "./documents";
import { blockersOf } from "./holders";

/** The time, counted on each second: what shows a duration reads it. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/** In which zone times are shown; empty: that of the browser. */
export const zone = signal("");
export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = computed(() => {
  const timeZone = zone.value || browserZone;
  return {
    time: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone }),
    day: new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone }),
  };
});

export const clock = (when: string | Date | undefined): string => (when === undefined ? "" : formats.value.time.format(new Date(when)));

export const dayOf = (when: string): string => formats.value.day.format(new Date(when));

/** Who says when something was has to say it anew on the next day. */
const today = computed(() => formats.value.day.format(now.value));

/** As an input of date and time takes it. */
export function wallTime(when: Date): string {
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** With the day, if it is another one than today. */
export function moment(when: string | Date | undefined): string {
  if (when === undefined) return "";
  const date = new Date(when);
  const { time, day } = formats.value;
  return day.format(date) === today.value ? time.format(date) : `${day.format(date)} ${time.format(date)}`;
}

/** For a tooltip: the same instant in UTC, and in the plan's zone. */
export function elsewhere(when: string | undefined, zone?: string): string {
  if (when === undefined) return "";
  const date = new Date(when);
  const utc = `${date.toISOString().replace("T", " ").slice(0, 19)} UTC`;
  if (!zone || zone === "UTC") return utc;
  try {
    const there = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short", timeStyle: "medium", hour12: false });
    return `${utc}, ${there.format(date)} ${zone}`;
  } catch {
    return utc;
  }
}

const two = (count: number): string => String(count).padStart(2, "0");

/** `0.4s`, `12s`, `3m 07s`, `2h 05m`, `3d 04h`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86_400)}d ${two(Math.floor((whole % 86_400) / 3600))}h`;
}

export function between(from: string | undefined, to: string | undefined): string {
  return from === undefined ? "" : span((to === undefined ? now.value : Date.parse(to)) - Date.parse(from));
}

/** How long an instance has lived, up to its end; one that was prepared begins when it opens. */
export function lived(one: InstanceStatus): string {
  if (one.status === "PREPARED") return "";
  return between(Date.parse(one.opens) > Date.parse(one.created) ? one.opens : one.created, one.ended);
}

/** How long a job ran, or runs by now; empty when it did not start, or takes no time by its kind. */
export function lasted(job: JobState): string {
  const moving = MOVING.has(job.status);
  if (job.started === undefined || (job.kind !== "command" && !moving)) return "";
  if (job.ended === undefined && job.status !== "RUNNING") return "";
  return between(job.started, job.ended);
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

export const DONE = new Set<Status>(["COMPLETE", "SKIPPED", "SKIPPED_COMPLETE", "ERROR_ACKNOWLEDGED"]);
export const MOVING = new Set<Status>(["RUNNING", "SKIPPED_RUNNING", "LOCK_QUEUED"]);
export const FAILED = new Set<Status>(["ERROR", "KILLED"]);

const SYMBOLS: Record<Status, string> = {
  WAITING: "○", ON_HOLD: "‖", SKIPPED: "»", DISABLED: "⊘", LOCK_QUEUED: "◷", RUNNING: "▶", SKIPPED_RUNNING: "▷",
  COMPLETE: "✔", SKIPPED_COMPLETE: "»", ERROR: "✘", ERROR_ACKNOWLEDGED: "✘", KILLED: "✖", RELEASED: "○", ENDED: "■",
  PREPARED: "◌",
};

export const symbol = (status: Status): string => SYMBOLS[status] ?? "?";

/** The few colours that stand for all statuses. */
export function tone(status: Status): string {
  if (FAILED.has(status)) return "bad";
  if (status === "RUNNING") return "run";
  if (status === "LOCK_QUEUED" || status === "ERROR_ACKNOWLEDGED") return "warn";
  if (status === "ON_HOLD") return "held";
  if (status === "COMPLETE") return "good";
  if (status === "SKIPPED" || status === "SKIPPED_COMPLETE" || status === "SKIPPED_RUNNING") return "skip";
  return "idle";
}

/** Why a job is where it is, in one line. */
export function note(job: JobState): string {
  const [blocker] = blockersOf(job);
  if (blocker !== undefined && !DONE.has(job.status)) return blocker.text;
  if (job.reason) return job.reason;
  return FAILED.has(job.status) && job.returnCode !== undefined ? `return code ${job.returnCode}` : "";
}
