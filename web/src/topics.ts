/** How names become topic levels: everything outside [A-Za-z0-9_-] percent-encoded, after NFC normalisation. */

export function escape(name: string): string {
  return encodeURIComponent(name.normalize("NFC")).replace(
    /[.!~*'()]/g,
    (mark) => "%" + mark.charCodeAt(0).toString(16).toUpperCase(),
  );
}

export const BASE = ["dashboard/presence", "dashboard/grants", "agent/+/presence", "plan/+", "instance/+", "lock/+"];

export const jobsOf = (instance: string): string => `instance/${instance}/job/+/+`;

export const jobAt = (instance: string, context: string, job: string): string =>
  `instance/${instance}/job/${escape(context)}/${escape(job)}`;

/** Whether an MQTT filter matches a topic. */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  return wanted.length === levels.length && wanted.every((level, place) => level === "+" || level === levels[place]);
}

export const versionAt = (plan: string, version: number): string => `plan/${escape(plan)}/version/${version}`;
