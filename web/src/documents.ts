/** What stands on the retained topics, as schemas/documents.py defines it: camelCase, defaults left out. */

export type JobStatus =
  | "WAITING" | "ON_HOLD" | "SKIPPED" | "DISABLED" | "LOCK_QUEUED" | "RUNNING" | "SKIPPED_RUNNING" | "COMPLETE"
  | "SKIPPED_COMPLETE" | "ERROR" | "ERROR_ACKNOWLEDGED" | "KILLED" | "RELEASED" | "ENDED" | "PREPARED";
export type ContextStatus = "PREPARED" | "WAITING" | "RUNNING" | "COMPLETE" | "ERROR" | "ENDED";
export type Status = JobStatus | ContextStatus;

export interface Header {
  v: number;
  epoch: number;
  revision: number;
  at: string;
}

export interface Presence extends Header {
  node: string;
  state: "alive" | "gone";
  connection: number;
  since: string;
  complete?: boolean;
  host?: string;
  version?: string;
  zone?: string;
  labels?: string[];
  dryRun?: boolean;
  capacity?: number;
  condition?: Condition;
}

export interface Condition {
  draining?: boolean;
  running?: number;
  load?: number;
  diskFull?: boolean;
  diskFree?: number;
}

export interface PlanStatus extends Header {
  plan: string;
  version: number;
  enabled: boolean;
  description?: string;
  schedule?: string;
  zone?: string;
  windowSeconds?: number;
  nextStart?: string;
  /** The newest of them. */
  running?: string[];
  runningCount?: number;
  lastOutcome?: { instance: string; status: ContextStatus; ended: string };
  agents?: string[];
  jobCount?: number;
}

export interface ContextState {
  context: string;
  status: ContextStatus;
  parent?: string;
  started?: string;
  ended?: string;
}

export interface InstanceStatus extends Header {
  instance: string;
  plan: string;
  version: number;
  status: ContextStatus;
  created: string;
  opens: string;
  closes?: string;
  ended?: string;
  startedBy?: string;
  result?: ContextStatus;
  endReason?: string;
  counts?: Partial<Record<JobStatus, number>>;
  parameters?: Record<string, string>;
  contexts?: ContextState[];
  jobs?: number;
}

export interface Blocker {
  kind: string;
  text: string;
  job?: string;
  lock?: string;
  /** The first few who hold the lock; only the first few of a queue say so. */
  holders?: LockClaim[];
  agent?: string;
  since?: string;
  until?: string;
}

export interface JobState extends Header {
  instance: string;
  context: string;
  job: string;
  name: string;
  agent: string;
  kind: string;
  status: JobStatus;
  order: number;
  held?: boolean;
  skipped?: boolean;
  disabled?: boolean;
  acknowledged?: boolean;
  attempt?: number;
  run?: string;
  started?: string;
  ended?: string;
  returnCode?: number;
  reason?: string;
  blockers?: Blocker[];
}

export interface LockClaim {
  instance: string;
  context: string;
  job: string;
  name?: string;
  weight?: number;
  run?: string;
  since?: string;
}

export interface LockState extends Header {
  lock: string;
  group?: string;
  capacity?: number;
  exclusive?: boolean;
  holders?: LockClaim[];
  queue?: LockClaim[];
}

export interface Answer {
  ok: boolean;
  reason?: string;
  faults?: Fault[];
  data?: unknown;
  last?: boolean;
}

export interface LogPart {
  offset: number;
  content: string;
  size: number;
  ended: boolean;
}

export interface AuditEntry {
  number: number;
  at: string;
  kind: string;
  context?: string;
  job?: string;
  run?: string;
  before?: string;
  after?: string;
  cause?: string;
  user?: string;
  detail?: string;
}

export interface Operator {
  identifier?: string;
  logicalGrouping?: Grouping;
}

export interface Grouping {
  and?: Operator[];
  or?: Operator[];
  not?: Operator[];
  logicalGrouping?: Grouping;
}

export interface Parameter {
  name: string;
  defaultValue?: string;
}

export interface PlanContext {
  name: string;
  contexts?: PlanContext[];
  scheduledJobs?: { agentName: string; jobName: string; displayName?: string }[];
  jobDependencies?: { jobIdentifier: string; logicalGrouping?: Grouping }[];
  contextDependencies?: { contextIdentifier: string; logicalGrouping?: Grouping }[];
  contextParameters?: Parameter[];
}

export interface PlanVersion extends Header {
  plan: string;
  version: number;
  source?: { plan: PlanContext; jobs?: { agentName: string; jobName: string; contextParameters?: Parameter[] }[] };
}

export interface Fault {
  path: string;
  message: string;
  warning?: boolean;
}

export interface PlanChecked {
  plan: string;
  faults: Fault[];
  changed: boolean;
  nextStarts?: string[];
}

export interface Coming {
  at: string;
  plan: string;
  job?: string;
  name?: string;
  instance?: string;
  local: string;
  zone: string;
  what: "opens" | "fires" | "skipped";
  closes?: string;
  note?: string;
}

export interface Foretold {
  until: string;
  rows?: Coming[];
  more?: boolean;
}

export interface CalendarSummary {
  name: string;
  version: number;
  days: number;
  first?: string;
  last?: string;
  plans?: string[];
}

export interface CalendarVersion {
  name: string;
  days: Record<string, string>;
}
