/** A plan with its jobs as JSON, as far as the page knows what it may hold. */
import type { Grouping, Parameter } from "../documents";

export type Obj = Record<string, unknown>;

export interface Ref extends Obj {
  agentName: string;
  jobName: string;
  displayName?: string;
}

export interface Artefact extends Ref {
  type: string;
}

export interface Participant extends Ref {
  lockCount?: number;
}

export interface Lock extends Obj {
  name: string;
  lockCount?: number;
  exclusiveJobLock?: boolean;
  jobs?: Record<string, Participant[]>;
}

export interface Context extends Obj {
  name: string;
  description?: string;
  contexts?: Context[];
  scheduledJobs?: Ref[];
  jobDependencies?: { jobIdentifier: string; logicalGrouping?: Grouping }[];
  contextDependencies?: { contextIdentifier: string; logicalGrouping?: Grouping }[];
  contextParameters?: Parameter[];
  jobLocks?: Lock[];
}

export interface Source extends Obj {
  plan: Context;
  jobs?: Artefact[];
  notifications?: Obj[];
  notification_details?: Obj[];
}
