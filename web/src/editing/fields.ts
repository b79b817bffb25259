/** Which fields a form has for what, in the keys of the JSON. Their words are in `words.fields`. */
import type { words } from "../words";
import type { KindOfJob } from "./source";

export type Shape = "text" | "long" | "code" | "number" | "check" | "lines" | "words" | "zone" | "days" | "span" | "parameters" | "codes" | "ranges" | "monitors" | "addressesOf" | "templatesOf" | "values" | readonly string[];

export interface Field {
  /** A path into the object, such as `retry.attempts`. */
  key: keyof typeof words.fields;
  shape: Shape;
  /** What a number is when it is left out. */
  absent?: number;
  /** Of which monitors some are chosen. */
  monitors?: readonly string[];
  /** Has a field only where the JSON has it: to be looked at and taken out. */
  onlyIfThere?: true;
}

const CALENDARS: Field[] = [
  { key: "calendars.exclude", shape: "words" },
  { key: "calendars.include", shape: "words" },
  { key: "onHoliday", shape: ["", "skip", "nextWorkingDay"] },
];

const CLOCK_CHANGES: Field[] = [
  { key: "onGap", shape: ["", "skip", "after"] },
  { key: "onOverlap", shape: ["", "first", "second", "both"] },
];

const BLACKOUT: Field[] = [
  { key: "blackoutWindowCronExpressions", shape: "lines" },
  { key: "blackoutWindowDateTimeRanges", shape: "ranges" },
];

const DEADLINES: Field[] = [
  { key: "deadlines.startBy", shape: "text" },
  { key: "deadlines.endBy", shape: "text" },
];

export const PLAN_FIELDS: Field[] = [
  { key: "description", shape: "long" },
  { key: "timeWindowStart", shape: "code" },
  { key: "timezone", shape: "zone" },
  { key: "contextTtlMilliseconds", shape: "span" },
  { key: "ableToRunConcurrently", shape: "check" },
  { key: "disabled", shape: "check" },
  { key: "endJobPlanUponCompletion", shape: "check" },
  ...CALENDARS,
  ...CLOCK_CHANGES,
  ...BLACKOUT,
  { key: "missedWindows", shape: ["", "recover", "catch-up", "skip"] },
  { key: "onEnd", shape: ["", "kill", "leave"] },
  ...DEADLINES,
  { key: "environmentGroup", shape: "text" },
  { key: "contextParameters", shape: "parameters" },
];

export const CONTEXT_FIELDS: Field[] = [
  { key: "description", shape: "long" },
  { key: "ownWindow.start", shape: "code" },
  { key: "ownWindow.ttlMilliseconds", shape: "span" },
  { key: "contextParameters", shape: "parameters" },
];

const WHEN: Field[] = [
  { key: "cronExpression", shape: "code" },
  { key: "timeZone", shape: "zone" },
];

const COMMON: Field[] = [{ key: "jobDescription", shape: "long" }];

export const JOB_FIELDS: Record<KindOfJob, Field[]> = {
  command: [
    ...COMMON,
    { key: "commandLine", shape: "code" },
    { key: "workingDirectory", shape: "text" },
    { key: "successfulReturnCodes", shape: "codes" },
    { key: "timeoutSeconds", shape: "number" },
    { key: "minExecutionTime", shape: "number", absent: -1 },
    { key: "maxExecutionTime", shape: "number", absent: -1 },
    { key: "retry.attempts", shape: "number", absent: 1 },
    { key: "retry.backOffSeconds", shape: "number", absent: 60 },
    { key: "daysOfWeekToRun", shape: "days" },
    ...DEADLINES,
    { key: "jobRepeatable", shape: "check" },
    { key: "targetResidingContextOnly", shape: "check" },
    { key: "labels", shape: "words" },
    { key: "contextParameters", shape: "parameters" },
  ],
  clock: [...COMMON, ...WHEN, ...CALENDARS, ...CLOCK_CHANGES, ...BLACKOUT, { key: "onBlackout", shape: ["", "drop", "pass", "delay"] }, { key: "startupControlType", shape: ["", "AUTOMATIC", "MANUAL", "DISABLED"] }],
  file: [
    ...COMMON,
    { key: "filenames", shape: "lines" },
    ...WHEN,
    { key: "pollSeconds", shape: "number", absent: 0 },
    { key: "minFileAgeSeconds", shape: "number", absent: 0 },
    { key: "stableSeconds", shape: "number", absent: 0 },
    { key: "directoryDepth", shape: "number", absent: 1 },
    { key: "moveDirectory", shape: "text" },
    { key: "slaCronExpression", shape: "code" },
    ...CALENDARS,
    ...CLOCK_CHANGES,
    ...BLACKOUT,
    { key: "startupControlType", shape: ["", "AUTOMATIC", "MANUAL", "DISABLED"] },
  ],
  global: COMMON,
  local: [],
  contextStart: [],
  contextTerminal: [],
  bridging: [],
};

const OF_JOBS = ["ERROR", "START", "COMPLETE", "OVERDUE", "RUNNING_TIME", "LATE_START", "LATE_END", "MISSED", "SKIPPED"] as const;
const OF_PLANS = ["ERROR", "START", "COMPLETE", "LATE_START", "LATE_END", "MISSED", "SKIPPED"] as const;

const ADDRESSES: Field[] = [
  { key: "emailSendTo", shape: "words" },
  { key: "emailSendCc", shape: "words" },
  { key: "emailSendBcc", shape: "words" },
];

const NEVER_SENT: Field = { key: "attachment", shape: "text", onlyIfThere: true };

/** Whom a plan wants told. */
export const TOLD_FIELDS: Field[] = [
  { key: "monitorTypes", shape: "monitors", monitors: OF_JOBS },
  { key: "planMonitorTypes", shape: "monitors", monitors: OF_PLANS },
  ...ADDRESSES,
  { key: "emailSendToByMonitorType", shape: "addressesOf", monitors: OF_JOBS },
  { key: "emailSendCcByMonitorType", shape: "addressesOf", monitors: OF_JOBS },
  { key: "emailSendBccByMonitorType", shape: "addressesOf", monitors: OF_JOBS },
  { key: "emailSubjectNotificationTemplate", shape: "templatesOf", monitors: OF_JOBS },
  { key: "emailBodyNotificationTemplate", shape: "templatesOf", monitors: OF_JOBS },
  { key: "html", shape: "check" },
  NEVER_SENT,
];

/** Whom it wants told of one job, in one context or any, for one monitor. */
export const DETAIL_FIELDS: Field[] = [
  { key: "monitorType", shape: OF_JOBS },
  ...ADDRESSES,
  { key: "emailSubject", shape: "text" },
  { key: "emailBody", shape: "long" },
  { key: "emailSubjectTemplate", shape: "text" },
  { key: "emailBodyTemplate", shape: "text" },
  { key: "emailNotificationTemplateParameters", shape: "values" },
  { key: "html", shape: "check" },
  NEVER_SENT,
];
