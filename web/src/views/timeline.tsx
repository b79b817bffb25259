/** When the jobs of an instance ran: a bar each, on one axis of time. */
import type { JSX } from "preact";
import type { InstanceStatus, JobState } from "../documents";
import { clock, lasted, now, tone } from "../format";
import { Empty } from "../parts";
import { to } from "../route";
import { spoken, words } from "../words";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
const MARKS = 8;

/** Round instants between two, not too many. */
function marks(from: number, until: number): number[] {
  const wanted = (until - from) / MARKS / 1000;
  const step = (STEPS.find((one) => one >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400) * 1000;
  const found: number[] = [];
  // A mark at the very end would have no room for its words.
  for (let at = Math.ceil(from / step) * step; at <= from + (until - from) * 0.95; at += step) found.push(at);
  return found;
}

export function Timeline({ one, jobs }: { one: InstanceStatus; jobs: JobState[] }): JSX.Element {
  const begun = jobs.filter((job) => job.started !== undefined);
  if (begun.length === 0) return <Empty>{words.timeline.none}</Empty>;
  begun.sort((left, right) => Date.parse(left.started ?? "") - Date.parse(right.started ?? "") || left.order - right.order);
  const moving = begun.some((job) => job.status === "RUNNING");
  const end = (job: JobState): number => (job.ended === undefined ? Math.max(now.value, Date.parse(job.started ?? "")) : Date.parse(job.ended));
  const from = Date.parse(begun[0]?.started ?? one.opens);
  const until = Math.max(from + 1000, ...begun.map(end), moving ? now.value : 0);
  const share = (at: number): string => `${((at - from) * 100) / (until - from)}%`;
  return (
    <div class="scroll" role="region" aria-label={words.timeline.label} tabIndex={0}>
      <div class="timeline">
        <div class="axis" aria-hidden="true">
          {marks(from, until).map((at) => (
            <span key={at} style={{ left: share(at) }}>
              {clock(new Date(at))}
            </span>
          ))}
        </div>
        <ul>
          {begun.map((job) => {
            const start = Date.parse(job.started ?? "");
            const label = `${job.name}: ${spoken(job.status)}, ${clock(job.started)} ${lasted(job)}`;
            return (
              <li key={`${job.context}/${job.job}`}>
                <a href={to("instances", job.instance, "job", job.context, job.job)} title={label} aria-label={label}>
                  {job.name}
                </a>
                <span class="track">
                  <span class={`bar fill-${tone(job.status)}`} style={{ left: share(start), width: share(from + Math.max(0, end(job) - start)) }} />
                </span>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}
