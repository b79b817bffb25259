/** One job of an instance: where it stands and why, and what it wrote. */
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { aboutJob, choicesFor, NOTHING, perform, subject } from "../acting";
import type { JobState } from "../documents";
import { lasted, now } from "../format";
import { blockersOf } from "../holders";
import { follow } from "../link";
import { Badge, Empty, Facts, Json, When } from "../parts";
import { at, instance } from "../picture";
import { to } from "../route";
import { jobAt } from "../topics";
import { kindOf, words } from "../words";
import { forbidden } from "../rights";
import { History } from "./history";
import { Log } from "./log";

export function Job({ instance: id, context, job }: { instance: string; context: string; job: string }): JSX.Element {
  const topic = jobAt(id, context, job);
  useEffect(() => follow(topic), [topic]);
  const one = at<JobState>(topic);
  const over = instance(id)?.status === "ENDED";
  const plan = instance(id)?.plan ?? "";
  if (one?.status === "RUNNING") void now.value;
  return (
    <>
      <p class="crumbs">
        <a href={to("instances", id)}>{id}</a> / {context}
      </p>
      {one === undefined ? <Empty>{words.job.notThere}</Empty> : <Whole one={one} over={over} plan={plan} />}
    </>
  );
}

function Whole({ one, over, plan }: { one: JobState; over: boolean; plan: string }): JSX.Element {
  const blockers = blockersOf(one);
  return (
    <>
      <h1>
        {one.name} <Badge status={one.status} />
      </h1>
      <Actions one={one} over={over} />
      {blockers.length > 0 && (
        <section>
          <h2>{words.job.why}</h2>
          <ul class="blockers">
            {blockers.map((blocker) => (
              <li key={blocker.text}>
                {blocker.text}
                {blocker.until !== undefined && (
                  <>
                    {" "}
                    {words.job.until} <When at={blocker.until} />
                  </>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>{words.job.facts}</h2>
        <Facts
          rows={[
            [words.job.kind, kindOf(one.kind)],
            [words.job.agent, one.kind === "command" || one.kind === "clock" || one.kind === "file" ? one.agent : ""],
            [words.job.started, one.started && <When at={one.started} />],
            [words.job.endedAt, one.ended && <When at={one.ended} />],
            [words.job.took, lasted(one)],
            [words.job.attempt, one.attempt ? String(one.attempt) : ""],
            [words.job.code, one.returnCode === undefined ? "" : String(one.returnCode)],
            [words.job.reason, one.reason],
          ]}
        />
      </section>
      <section>
        <h2>{words.job.log}</h2>
        {one.run === undefined || one.kind !== "command" ? <Empty>{words.job.noRun}</Empty> : <Log run={one.run} agent={one.agent} attempts={one.attempt ?? 1} />}
      </section>
      <section>
        <h2>{words.history.title}</h2>
        <History plan={plan} job={one.job} run={one.ended ?? ""} />
      </section>
      <details>
        <summary>JSON</summary>
        <Json value={one} label="JSON" />
      </details>
    </>
  );
}

/** Here there is room for a button each. */
function Actions({ one, over }: { one: JobState; over: boolean }): JSX.Element {
  const choices = choicesFor(one, over);
  const [first] = choices;
  const why = first === undefined ? "" : forbidden(first.request(NOTHING));
  return (
    <p class="buttons">
      {choices.map((choice) => {
        const [verb, meaning] = words.actions.verbs[choice.verb];
        const act = (): void => {
          if (choice.hurts || choice.parameters) subject.value = { ...aboutJob(one, over), chosen: choice };
          else void perform(one.name, choice, NOTHING);
        };
        return (
          <button key={choice.verb} type="button" title={why || meaning} disabled={why !== ""} onClick={act}>
            {verb}
          </button>
        );
      })}
      {why !== "" && <span class="quiet">{why}</span>}
    </p>
  );
}
