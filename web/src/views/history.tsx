/** The runs of a job that are kept, whatever instances they were of: how long it usually takes. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { span } from "../format";
import { askOnce } from "../link";
import { Table, When } from "../parts";
import { to } from "../route";
import { words } from "../words";

interface PastRun {
  instance: string;
  context: string;
  attempt: number;
  started: string;
  seconds: number;
  outcome: string;
  returnCode?: number;
  agent: string;
}

interface Past {
  job: string;
  medianSeconds?: number;
  p90Seconds?: number;
  runs?: PastRun[];
}

export function History({ plan, job, run }: { plan: string; job: string; run: string }): JSX.Element {
  const [past, setPast] = useState<Past>();
  const [fault, setFault] = useState("");
  useEffect(() => {
    let wanted = true;
    setFault("");
    askOnce<Past>({ ask: "job.history", plan, job }).then(
      (found) => wanted && setPast(found),
      (error: Error) => wanted && setFault(error.message),
    );
    return () => {
      wanted = false;
    };
  }, [plan, job, run]);
  if (fault !== "") return <p class="quiet">{fault}</p>;
  if (past === undefined) return <p class="quiet">{words.audit.loading}</p>;
  const runs = [...(past.runs ?? [])].reverse();
  if (runs.length === 0) return <p class="quiet">{words.history.none}</p>;
  const longest = Math.max(...runs.map((one) => one.seconds), 0.001);
  return (
    <>
      {past.medianSeconds !== undefined && <p>{words.history.usual(span(past.medianSeconds * 1000), span((past.p90Seconds ?? 0) * 1000))}</p>}
      <Table label={words.history.title} heads={Object.values(words.history.columns)}>
        {runs.map((one) => (
          <tr key={`${one.instance} ${one.context} ${one.attempt}`}>
            <td>
              <When at={one.started} />
            </td>
            <td>
              <a href={to("instances", one.instance, "job", one.context, past.job)}>{one.instance}</a>
            </td>
            <td class="number">{one.attempt || ""}</td>
            <td class="number">{span(one.seconds * 1000)}</td>
            <td>
              <span class="track short" aria-hidden="true">
                <span class={`bar fill-${one.outcome === "succeeded" ? "good" : "bad"}`} style={{ width: `${(one.seconds * 100) / longest}%` }} />
              </span>
            </td>
            <td>
              {one.outcome} {one.returnCode !== undefined && one.returnCode !== 0 && one.returnCode}
            </td>
            <td>{one.agent}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
