/** Doing something: which actions make sense for what, asking for them, and saying what came of it. */
import { signal } from "@preact/signals";
import type { InstanceStatus, JobState, JobStatus, LockClaim } from "./documents";
import { askOnce, Refused } from "./link";
import { words } from "./words";

export type Verb = keyof typeof words.actions.verbs;

export interface Choice {
  verb: Verb;
  /** What is asked, completed by what the person fills in. */
  request: (filled: Filled) => object;
  /** Needs a second click. */
  hurts?: boolean;
  parameters?: Record<string, string> | true;
  message?: boolean;
  onward?: boolean;
  /** Asks for a point in time, and offers this one. */
  until?: Date;
  /** Asked of this agent instead of the dashboard. */
  agent?: string;
}

export interface Filled {
  parameters: Record<string, string>;
  message: string;
  onward: boolean;
  until: Date | undefined;
}

export const NOTHING: Filled = { parameters: {}, message: "", onward: false, until: undefined };

/** What the open dialog is about. */
export interface Subject {
  name: string;
  note?: string;
  choices: Choice[];
  /** Opens right at this choice. */
  chosen?: Choice;
}

export interface Said {
  id: number;
  ok: boolean;
  text: string;
}

export const subject = signal<Subject | null>(null);
export const said = signal<Said[]>([]);

const STAYS = 6000;
const HOUR = 3_600_000;
let spoken = 0;

export function say(ok: boolean, text: string): void {
  spoken += 1;
  const id = spoken;
  said.value = [...said.value.slice(-4), { id, ok, text }];
  if (ok) setTimeout(() => unsay(id), STAYS);
}

export function unsay(id: number): void {
  said.value = said.value.filter((one) => one.id !== id);
}

interface Acted {
  refused?: { context: string; name: string; reason: string }[];
}

export async function perform(name: string, choice: Choice, filled: Filled): Promise<void> {
  const what = `${words.actions.verbs[choice.verb][0]} ${name}`;
  try {
    const data = await askOnce<Acted | null>(choice.request(filled), choice.agent);
    const refused = data?.refused ?? [];
    if (refused.length > 0) {
      const why = refused.slice(0, 3).map(({ context, name, reason }) => `${context} / ${name}: ${reason}`);
      say(false, words.answers.refused(what, words.answers.some(refused.length) + why.join("; ")));
    } else say(true, words.answers.done(what));
  } catch (error) {
    const faults = error instanceof Refused ? error.faults.slice(0, 3) : [];
    say(false, words.answers.refused(what, [(error as Error).message, ...faults].join("; ")));
  }
}

type Action = "submit" | "resubmit" | "continue" | "hold" | "release" | "skip" | "unskip" | "disable" | "enable" | "reset" | "kill" | "acknowledge";

const FITS: Record<Action, JobStatus[]> = {
  submit: ["WAITING"],
  resubmit: ["ERROR", "KILLED", "ERROR_ACKNOWLEDGED", "COMPLETE"],
  kill: ["RUNNING"],
  hold: ["WAITING"],
  release: ["ON_HOLD"],
  skip: ["WAITING"],
  unskip: ["SKIPPED", "SKIPPED_COMPLETE"],
  acknowledge: ["ERROR", "KILLED"],
  continue: ["ERROR", "KILLED", "ERROR_ACKNOWLEDGED"],
  reset: ["COMPLETE", "ERROR", "KILLED", "ERROR_ACKNOWLEDGED", "LOCK_QUEUED"],
  disable: ["WAITING", "ON_HOLD", "SKIPPED"],
  enable: ["DISABLED"],
};

const HURTS = new Set<Action>(["kill", "skip", "reset", "continue", "disable", "acknowledge"]);
const RUNS = new Set<Action>(["submit", "resubmit"]);

/** Whether an action makes sense for a job as it stands. One that was passed over though nobody skipped it has ended like any other. */
function fits(action: Action, job: JobState): boolean {
  const passedByItself = job.status === "SKIPPED_COMPLETE" && !job.skipped;
  if (!passedByItself) return FITS[action].includes(job.status);
  return action === "resubmit" || action === "reset";
}

/** What can be done to a job where it stands. The dashboard has the last word. */
export function choicesFor(job: JobState, over: boolean): Choice[] {
  if (over) return [];
  const atAgent = job.status === "WAITING" && (job.blockers ?? []).some((one) => one.kind === "agent");
  const fitting = (Object.keys(FITS) as Action[]).filter((action) =>
    atAgent ? action === "kill" : fits(action, job),
  );
  const choices = fitting.map((action): Choice => ({
    verb: action,
    hurts: HURTS.has(action),
    message: HURTS.has(action),
    onward: action === "acknowledge",
    ...(RUNS.has(action) && job.kind === "command" ? { parameters: true as const } : {}),
    request: ({ parameters, message, onward }: Filled) => ({
      ask: "act",
      action,
      instance: job.instance,
      context: job.context,
      job: job.job,
      ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
      ...(message ? { message } : {}),
      ...(onward ? { onward } : {}),
    }),
  }));
  return job.kind === "global" ? [raising(job), ...choices] : choices;
}

/** Global events are heard by all plans: one is raised by name, in whatever instance it is looked at. */
const raising = (job: JobState): Choice => ({ verb: "raise", hurts: true, request: () => ({ ask: "event.raise", event: job.name }) });

export function aboutJob(job: JobState, over: boolean): Subject {
  return { name: job.name, choices: choicesFor(job, over) };
}

export function aboutInstance(one: InstanceStatus): Subject {
  const instance = one.instance;
  const all = (action: string) => (): object => ({ ask: "act", action, instance });
  const choices: Choice[] = [
    { verb: "holdAll", request: all("hold"), hurts: true },
    { verb: "releaseAll", request: all("release"), hurts: true },
    {
      verb: "moveEnd",
      until: new Date(Math.max(Date.parse(one.closes ?? "") || 0, Date.now()) + HOUR),
      hurts: true,
      request: ({ until }) => ({ ask: "instance.moveEnd", instance, closes: until?.toISOString() }),
    },
    { verb: "keepOpen", request: () => ({ ask: "instance.moveEnd", instance, closes: null }), hurts: true },
    { verb: "end", request: () => ({ ask: "instance.end", instance }), hurts: true },
    { verb: "resetInstance", request: () => ({ ask: "instance.reset", instance }), hurts: true },
  ];
  return { name: instance, choices: one.status === "ENDED" ? [] : choices };
}

/** Locks follow from runs: one is free when the run that holds it is over. */
export const freeing = ({ instance, context, job }: LockClaim): Choice => ({
  verb: "freeLock",
  hurts: true,
  message: true,
  request: ({ message }) => ({ ask: "act", action: "kill", instance, context, job, ...(message ? { message } : {}) }),
});

export const startOf = (plan: string, parameters: Record<string, string>): Choice => ({
  verb: "start",
  parameters,
  hurts: true,
  request: (filled) => ({ ask: "instance.start", plan, parameters: filled.parameters }),
});

export const enabling = (plan: string, enabled: boolean): Choice => ({
  verb: enabled ? "enablePlan" : "disablePlan",
  hurts: !enabled,
  request: () => ({ ask: "plan.enable", plan, enabled }),
});

export const deleting = (plan: string): Choice => ({ verb: "deletePlan", hurts: true, request: () => ({ ask: "plan.delete", plan }) });

export const changing = (instance: string, name: string, value: string): Choice => ({
  verb: "change",
  parameters: { [name]: value },
  hurts: true,
  request: (filled) => ({ ask: "instance.parameters", instance, values: filled.parameters }),
});

export const preparing = (plan: string): Choice => ({ verb: "prepare", hurts: true, request: () => ({ ask: "instance.prepare", plan }) });

export const draining = (agent: string, wanted: boolean): Choice => ({
  verb: wanted ? "drain" : "resume",
  agent,
  hurts: wanted,
  request: () => ({ ask: "agent.drain", draining: wanted }),
});

/** Do it at once, or ask first where it hurts. */
export function propose(name: string, choice: Choice): void {
  if (choice.hurts) subject.value = { name, choices: [choice], chosen: choice };
  else void perform(name, choice, NOTHING);
}
