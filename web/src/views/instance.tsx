/** One instance: what it is, how far it is, and the views of it. */
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { aboutInstance, subject } from "../acting";
import type { InstanceStatus, JobState } from "../documents";
import { lived, moment } from "../format";
import { type Deadline, type Estimated, useEstimate } from "../estimates";
import { follow } from "../link";
import { Badge, Empty, Json, Progress, When } from "../parts";
import { agents, instance, jobs } from "../picture";
import { to } from "../route";
import { jobsOf } from "../topics";
import { words } from "../words";
import { Audit } from "./audit";
import { Graph } from "./graph";
import { Parameters } from "./parameters";
import { Timeline } from "./timeline";
import { Tree } from "./tree";

const TABS = ["tree", "graph", "timeline", "parameters", "audit", "json"] as const;

export function Instance({ id, tab }: { id: string; tab: string }): JSX.Element {
  useEffect(() => follow(jobsOf(id)), [id]);
  const one = instance(id);
  const estimate = useEstimate(one);
  if (one === undefined) return <Empty>{words.instance.notThere}</Empty>;
  const all = jobs(id);
  const missing = (one.jobs ?? 0) - all.length;
  const gone = goneAgents(all);
  return (
    <>
      <Head one={one} estimate={estimate} />
      <nav class="tabs" aria-label={words.instance.views}>
        {TABS.map((name) => (
          <a key={name} href={to("instances", id, name)} aria-current={tab === name ? "page" : undefined}>
            {words.instance.tabs[name]}
          </a>
        ))}
      </nav>
      {gone.length > 0 && one.status !== "ENDED" && <p class="doubt">{words.link.agentsGone(gone.join(", "))}</p>}
      {missing > 0 && <p class="quiet">{words.instance.missing(missing)}</p>}
      <Tab tab={tab} one={one} all={all} estimate={estimate} />
    </>
  );
}

function Tab({ tab, one, all, estimate }: { tab: string; one: InstanceStatus; all: JobState[]; estimate: Estimated | undefined }): JSX.Element {
  if (tab === "graph") return <Graph one={one} jobs={all} />;
  if (tab === "timeline") return <Timeline one={one} jobs={all} estimate={estimate} />;
  if (tab === "parameters") return <Parameters one={one} />;
  if (tab === "audit") return <Audit instance={one.instance} />;
  if (tab === "json") return <Json value={one} label={words.instance.tabs.json} />;
  return <Tree one={one} jobs={all} estimate={estimate} />;
}

function goneAgents(all: JobState[]): string[] {
  const alive = new Set(agents().filter((agent) => agent.state === "alive").map((agent) => agent.node));
  const wanted = new Set(all.filter((job) => ["command", "clock", "file"].includes(job.kind)).map((job) => job.agent));
  return [...wanted].filter((agent) => !alive.has(agent)).sort();
}

function Head({ one, estimate }: { one: InstanceStatus; estimate: Estimated | undefined }): JSX.Element {
  return (
    <section class="head">
      <h1>
        {one.plan} <Badge status={one.status} />
        {one.status === "ENDED" && one.result !== undefined && (
          <>
            {" "}
            <small>{words.instance.result}</small> <Badge status={one.result} />
          </>
        )}{" "}
        <small>{lived(one)}</small>
      </h1>
      <p class="quiet">
        {one.instance}, {words.instance.version} {one.version}, {words.instance.opened} <When at={one.opens} />,{" "}
        {one.ended !== undefined ? (
          <>
            {words.instance.ended} <When at={one.ended} />
          </>
        ) : one.closes === undefined ? (
          words.instance.openEnd
        ) : (
          <>
            {words.instance.closes} <When at={one.closes} />
          </>
        )}
        {one.startedBy && `, ${words.instance.by} ${one.startedBy}`}
        {one.endReason && ` (${one.endReason})`}
      </p>
      {estimate !== undefined && <Likely estimate={estimate} />}
      <Deadlines all={estimate?.deadlines ?? []} />
      <div class="tools">
        <Progress one={one} />
        {one.status !== "ENDED" && (
          <button type="button" onClick={() => (subject.value = aboutInstance(one))}>
            {words.instance.actAll}
          </button>
        )}
      </div>
    </section>
  );
}

const TONES = { late: "bad", threatened: "warn", ahead: "idle", met: "good" };

/** By when what has to have happened, and how it stands with that; what is late comes first. */
function Deadlines({ all }: { all: Deadline[] }): JSX.Element | null {
  if (all.length === 0) return null;
  const order = Object.keys(TONES);
  const sorted = [...all].sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  return (
    <details open={sorted[0]?.state === "late" || sorted[0]?.state === "threatened"} data-deadlines>
      <summary>
        {words.estimate.deadlines}{" "}
        {Object.entries(TONES).map(([state, tone]) => {
          const count = all.filter((one) => one.state === state).length;
          return count > 0 && <span key={state} class={`badge tone-${tone}`}>{`${count} ${words.estimate.deadline[state as Deadline["state"]]}`}</span>;
        })}
      </summary>
      <ul class="days">
        {sorted.map((one) => (
          <li key={`${one.monitor} ${one.context ?? ""} ${one.job ?? ""} ${one.at}`}>
            <span class={`badge tone-${TONES[one.state]}`}>{words.estimate.deadline[one.state]}</span> <strong>{one.name || words.estimate.thePlan}</strong> {words.estimate.hasTo[one.monitor]}{" "}
            <When at={one.at} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** When it is likely to be complete, and what the estimate does not know. */
function Likely({ estimate: { ends, endsLate, closes, stuck = [], unmeasured = 0, path = [] } }: { estimate: Estimated }): JSX.Element | null {
  if (ends === undefined && stuck.length === 0) return null;
  const beyond = ends !== undefined && closes !== undefined && Date.parse(ends) > Date.parse(closes);
  return (
    <p class={beyond ? "doubt" : "quiet"} data-likely>
      {ends === undefined ? (
        <span title={stuck.map((one) => `${one.name}: ${one.why}`).join("\n")}>
          {words.estimate.stuck(stuck.length)} ({stuck.slice(0, 3).map((one) => one.why).join("; ")})
        </span>
      ) : (
        <>
          {words.estimate.ends} <When at={ends} />
          {endsLate !== undefined && moment(endsLate) !== moment(ends) && `, ${words.estimate.late(moment(endsLate))}`}
          {beyond && ` (${words.estimate.beyond})`}
        </>
      )}
      {unmeasured > 0 && `, ${words.estimate.unmeasured(unmeasured)}`}
      {ends !== undefined && path.length > 0 && `. ${words.estimate.path}: ${path.map((one) => one.name).join(" → ")}`}
    </p>
  );
}
