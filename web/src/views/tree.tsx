/** An instance as a tree: contexts nested, jobs in the order of the plan. */
import { useState } from "preact/hooks";
import { memo } from "../memo";
import type { JSX } from "preact";
import { aboutJob, choicesFor, subject } from "../acting";
import type { ContextState, InstanceStatus, JobState } from "../documents";
import type { Estimated } from "../estimates";
import { between, clock, lasted, note, now } from "../format";
import { Badge, Table } from "../parts";
import { to } from "../route";
import { kindOf, words } from "../words";

interface Line {
  depth: number;
  context?: ContextState;
  job?: JobState;
}

/** The lines that are shown; a job whose context is not known stands in the outermost one. */
function linesOf(one: InstanceStatus, jobs: JobState[], folded: Set<string>, wanted: string): Line[] {
  const states: ContextState[] = one.contexts?.length ? one.contexts : [{ context: one.plan, status: one.status }];
  const names = new Set(states.map((state) => state.context));
  const outermost = states.find((state) => !state.parent)?.context ?? one.plan;
  const inside = Map.groupBy(jobs, (job) => (names.has(job.context) ? job.context : outermost));
  const children = Map.groupBy(states, (state) => state.parent ?? "");
  const fits = (job: JobState): boolean => wanted === "" || `${job.name} ${job.agent} ${job.status}`.toLowerCase().includes(wanted);
  const lines: Line[] = [];
  const walk = (state: ContextState, depth: number): void => {
    const place = lines.length;
    lines.push({ depth, context: state });
    if (folded.has(state.context) && wanted === "") return;
    for (const job of inside.get(state.context) ?? []) if (fits(job)) lines.push({ depth: depth + 1, job });
    for (const child of children.get(state.context) ?? []) walk(child, depth + 1);
    if (wanted !== "" && lines.length === place + 1) lines.pop();
  };
  for (const state of children.get("") ?? []) walk(state, 0);
  return lines;
}

export function Tree({ one, jobs, estimate }: { one: InstanceStatus; jobs: JobState[]; estimate: Estimated | undefined }): JSX.Element {
  const [folded, fold] = useState(new Set<string>());
  const [text, setText] = useState("");
  const toggle = (context: string): void => {
    const next = new Set(folded);
    if (!next.delete(context)) next.add(context);
    fold(next);
  };
  const over = one.status === "ENDED";
  const ends = new Map((over ? [] : (estimate?.jobs ?? [])).map((job) => [`${job.context}/${job.job}`, job.ends]));
  return (
    <>
      <div class="tools">
        <label>
          {words.instance.filter} <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      </div>
      <Table label={words.instance.tabs.tree} heads={Object.values(words.instance.columns)}>
        {linesOf(one, jobs, folded, text.trim().toLowerCase()).map(({ depth, context, job }) =>
          job !== undefined ? (
            <JobLine key={`${job.context}/${job.job}`} job={job} ends={job.ended === undefined ? ends.get(`${job.context}/${job.job}`) : undefined} depth={depth} over={over} why={note(job)} tick={job.status === "RUNNING" ? now.value : 0} />
          ) : (
            context && <ContextLine key={`/${context.context}`} state={context} depth={depth} isFolded={folded.has(context.context)} toggle={toggle} />
          ),
        )}
      </Table>
    </>
  );
}

const inset = (depth: number): { paddingInlineStart: string } => ({ paddingInlineStart: `${0.5 + depth * 1.4}rem` });

interface Branch {
  state: ContextState;
  depth: number;
  isFolded: boolean;
  toggle: (context: string) => void;
}

function ContextLine({ state, depth, isFolded, toggle }: Branch): JSX.Element {
  const verb = isFolded ? words.instance.expand : words.instance.collapse;
  return (
    <tr class="context">
      <th scope="row" style={inset(depth)}>
        <button type="button" class="fold" aria-expanded={!isFolded} aria-label={verb(state.context)} onClick={() => toggle(state.context)}>
          {isFolded ? "▸" : "▾"}
        </button>
        {state.context}
      </th>
      <td>
        <Badge status={state.status} />
      </td>
      <td>{clock(state.started)}</td>
      <td class="number">{between(state.started, state.ended)}</td>
      <td colSpan={5} />
    </tr>
  );
}

interface Leaf {
  job: JobState;
  depth: number;
  over: boolean;
  /** When it is likely to end. */
  ends: string | undefined;
  /** Why it is where it is: for those who wait for a lock this changes with the lock's document. */
  why: string;
  /** Counts on while it runs, so that it is drawn again. */
  tick: number;
}

const JobLine = memo(function JobLine({ job, depth, over, ends, why }: Leaf): JSX.Element {
  const onAgent = job.kind === "command" || job.kind === "clock" || job.kind === "file";
  return (
    <tr data-job={job.name} data-status={job.status}>
      <td style={inset(depth)}>
        <a href={to("instances", job.instance, "job", job.context, job.job)}>{job.name}</a>
      </td>
      <td>
        <Badge status={job.status} />
      </td>
      <td>{clock(job.started)}</td>
      <td class="number">{lasted(job)}</td>
      <td class="number quiet">{ends !== undefined && `≈ ${clock(ends)}`}</td>
      <td class="number">{(job.attempt ?? 0) > 1 ? job.attempt : ""}</td>
      <td>{onAgent ? job.agent : <span class="quiet unbroken">{kindOf(job.kind)}</span>}</td>
      <td class="why">{why}</td>
      <td class="actions">
        {choicesFor(job, over).length > 0 && (
          <button type="button" class="dots" aria-haspopup="dialog" aria-label={words.instance.act(job.name)} onClick={() => (subject.value = aboutJob(job, over))}>
            ⋯
          </button>
        )}
      </td>
    </tr>
  );
});
