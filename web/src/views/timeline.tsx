/** When the jobs of an instance ran, run, and are likely to run: a bar each, on one axis of time. */
import type { JSX } from "preact";
import type { InstanceStatus, JobState } from "../documents";
import type { Estimated, Expected } from "../estimates";
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

interface Bar {
  job: JobState;
  start: number;
  /** Up to here it is what was. */
  end: number;
  /** From where to where it is an estimate; undefined: nothing is. */
  guess: [number, number] | undefined;
  critical: boolean;
}

const keyOf = (one: { context: string; job: string }): string => `${one.context}\n${one.job}`;
const at = (when: string | undefined): number => Date.parse(when ?? "");

function barOf(job: JobState, expected: Expected | undefined, critical: boolean): Bar | undefined {
  const started = job.started !== undefined;
  const runs = job.status === "RUNNING";
  if (started && !runs) return { job, start: at(job.started), end: job.ended === undefined ? at(job.started) : at(job.ended), guess: undefined, critical };
  const ends = at(expected?.ends);
  if (runs) {
    const end = Math.max(now.value, at(job.started));
    return { job, start: at(job.started), end, guess: ends > end ? [end, ends] : undefined, critical };
  }
  if (expected?.starts === undefined || Number.isNaN(ends)) return undefined;
  return { job, start: at(expected.starts), end: at(expected.starts), guess: [at(expected.starts), ends], critical };
}

export function Timeline({ one, jobs, estimate }: { one: InstanceStatus; jobs: JobState[]; estimate: Estimated | undefined }): JSX.Element {
  const expected = new Map((estimate?.jobs ?? []).map((job) => [keyOf(job), job]));
  const path = new Set((estimate?.path ?? []).map(keyOf));
  const bars = jobs.map((job) => barOf(job, one.status === "ENDED" ? undefined : expected.get(keyOf(job)), path.has(keyOf(job)))).filter((bar) => bar !== undefined);
  if (bars.length === 0) return <Empty>{words.timeline.none}</Empty>;
  bars.sort((left, right) => left.start - right.start || left.job.order - right.job.order);
  const moving = one.status !== "ENDED" && bars.some((bar) => bar.job.status === "RUNNING" || bar.guess !== undefined);
  const from = bars[0]?.start ?? 0;
  const until = Math.max(from + 1000, ...bars.map((bar) => bar.guess?.[1] ?? bar.end), moving ? now.value : 0);
  const share = (when: number): string => `${((when - from) * 100) / (until - from)}%`;
  const width = (begin: number, end: number): string => share(from + Math.max(0, end - begin));
  return (
    <>
      <div class="scroll" role="region" aria-label={words.timeline.label} tabIndex={0}>
        <div class="timeline">
          <div class="axis" aria-hidden="true">
            {marks(from, until).map((when) => (
              <span key={when} style={{ left: share(when) }}>
                {clock(new Date(when))}
              </span>
            ))}
            {moving && now.value > from && now.value < until && (
              <span class="now" style={{ left: share(now.value) }}>
                {words.timeline.now}
              </span>
            )}
          </div>
          <ul>
            {bars.map(({ job, start, end, guess, critical }) => {
              const told = guess === undefined ? lasted(job) : words.timeline.guess(clock(new Date(guess[1])));
              const label = `${job.name}: ${spoken(job.status)}, ${clock(new Date(start))} ${told}${critical ? `, ${words.timeline.critical}` : ""}`;
              return (
                <li key={keyOf(job)} class={critical ? "critical" : ""}>
                  <a href={to("instances", job.instance, "job", job.context, job.job)} title={label} aria-label={label}>
                    {job.name}
                  </a>
                  <span class="track">
                    {end > start || guess === undefined ? <span class={`bar fill-${tone(job.status)}`} style={{ left: share(start), width: width(start, end) }} /> : null}
                    {guess !== undefined && <span class="bar guess" style={{ left: share(guess[0]), width: width(guess[0], guess[1]) }} />}
                  </span>
                </li>
              );
            })}
          </ul>
        </div>
      </div>
      {bars.some((bar) => bar.guess !== undefined) && <p class="quiet">{words.timeline.legend}</p>}
    </>
  );
}
