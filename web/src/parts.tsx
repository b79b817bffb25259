/** Small pieces that several views are made of. */
import type { ComponentChildren, JSX } from "preact";
import type { InstanceStatus, JobStatus, Status } from "./documents";
import { DONE, elsewhere, FAILED, moment, MOVING, symbol, tone } from "./format";
import { type Choice, NOTHING, propose } from "./acting";
import { forbidden } from "./rights";
import { spoken, words } from "./words";

export function Badge({ status }: { status: Status }): JSX.Element {
  return (
    <span class={`badge tone-${tone(status)}`}>
      <span aria-hidden="true">{symbol(status)}</span> {spoken(status)}
    </span>
  );
}

export function When({ at, zone }: { at: string | undefined; zone?: string | undefined }): JSX.Element | null {
  if (at === undefined) return null;
  return (
    <time dateTime={at} title={elsewhere(at, zone)}>
      {moment(at)}
    </time>
  );
}

function sum(counts: InstanceStatus["counts"], wanted: Set<Status>): number {
  return Object.entries(counts ?? {}).reduce((total, [status, count]) => total + (wanted.has(status as JobStatus) ? (count ?? 0) : 0), 0);
}

/** A button that asks for something: at once, or after a second click where it hurts; when it may not, it says why. */
export function Act({ name, choice, label, title, open }: { name: string; choice: Choice; label: string; title: string; open?: () => void }): JSX.Element {
  const why = forbidden(choice.request(NOTHING));
  return (
    <button type="button" aria-label={title} disabled={why !== ""} title={why} onClick={open ?? (() => propose(name, choice))}>
      {label}
    </button>
  );
}

/** How far an instance is: a bar with a part each for done, moving and failed. */
export function Progress({ one }: { one: InstanceStatus }): JSX.Element {
  const total = Math.max(1, Object.values(one.counts ?? {}).reduce((all, count) => all + count, 0));
  const parts = [
    { name: "good", count: sum(one.counts, DONE) },
    { name: "run", count: sum(one.counts, MOVING) },
    { name: "bad", count: sum(one.counts, FAILED) },
  ];
  const label = words.instance.progress(parts[0]?.count ?? 0, total);
  return (
    <span class="progress" role="img" aria-label={label} title={label}>
      {parts.map(({ name, count }) => (
        <span key={name} class={`part fill-${name}`} style={{ width: `${(count * 100) / total}%` }} />
      ))}
    </span>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }): JSX.Element {
  const shown = rows.filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return (
    <dl class="facts">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A table that scrolls by itself where the screen is narrow. */
export function Table({ label, heads, children }: { label: string; heads: string[]; children: ComponentChildren }): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}

export function Json({ value, label }: { value: unknown; label: string }): JSX.Element {
  return (
    <pre class="json" tabIndex={0} role="region" aria-label={label}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
