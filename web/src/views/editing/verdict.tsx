/** What the dashboard says of a draft: its faults, when it would start, and how it differs from what is stored. */
import type { JSX } from "preact";
import type { Fault } from "../../documents";
import type { Difference } from "../../differences";
import type { Draft } from "../../editing/draft";
import { lineOf, rangeOf } from "../../editing/places";
import { When } from "../../parts";
import { words } from "../../words";

const MOST_DIFFERENCES = 200;

export function Verdict({ draft, show }: { draft: Draft; show: (fault: Fault) => void }): JSX.Element {
  const { found, fault } = draft.checked.value;
  const torn = draft.torn.value;
  if (torn !== undefined) return <p role="alert">{torn.why}</p>;
  if (fault !== undefined) return <p role="alert">{fault}</p>;
  if (found === undefined) return <p class="quiet">{words.editor.checking}</p>;
  const wrong = found.faults.filter((one) => !one.warning).length;
  const source = draft.source.value;
  const text = found.faults.length === 0 ? "" : JSON.stringify(source, null, 2);
  return (
    <section>
      <h2>{verdict(wrong, found.faults.length - wrong)}</h2>
      <ul class="faults">
        {found.faults.map((one) => (
          <li key={`${one.path} ${one.message}`} class={one.warning ? "warning" : "fault"}>
            <button type="button" class="link" onClick={() => show(one)}>
              <code>{one.path}</code>
            </button>{" "}
            <span class="quiet">{words.editor.line(lineOf(text, rangeOf(source, text, one)[0]))}</span> {one.message}
          </li>
        ))}
      </ul>
      {wrong === 0 && <Starts draft={draft} starts={found.nextStarts ?? []} />}
    </section>
  );
}

/** Warnings do not keep a plan from being saved; but something is wrong with it. */
function verdict(faults: number, warnings: number): string {
  const { editor } = words;
  if (warnings === 0) return faults === 0 ? editor.good : editor.faults(faults);
  return faults === 0 ? `${editor.warnings(warnings)}, ${editor.noFaults}` : `${editor.faults(faults)}, ${editor.warnings(warnings)}`;
}

/** The next starts, and which of those that are stored now would be no more. */
function Starts({ draft, starts }: { draft: Draft; starts: string[] }): JSX.Element {
  const before = draft.startsBefore.value;
  const zone = draft.source.value.plan["timezone"] as string | undefined;
  const last = starts.at(-1) ?? "";
  const gone = (before ?? []).filter((at) => !starts.includes(at) && (starts.length === 0 || at <= last));
  const rows = [...starts.map((at) => ({ at, isNew: before !== undefined && !before.includes(at), isGone: false })), ...gone.map((at) => ({ at, isNew: false, isGone: true }))];
  rows.sort((one, other) => one.at.localeCompare(other.at));
  return (
    <>
      <h2>{words.editor.next}</h2>
      {starts.length === 0 && <p class="quiet">{words.plans.never}</p>}
      <ol class="starts">
        {rows.map(({ at, isNew, isGone }) => (
          <li key={at}>
            {isGone ? (
              <del>
                <When at={at} zone={zone} />
              </del>
            ) : isNew ? (
              <ins>
                <When at={at} zone={zone} />
              </ins>
            ) : (
              <When at={at} zone={zone} />
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

export function Changes({ changes }: { changes: Difference[] }): JSX.Element | null {
  if (changes.length === 0) return null;
  return (
    <section>
      <h2>{words.editor.changes(changes.length)}</h2>
      <ul class="differences">
        {changes.slice(0, MOST_DIFFERENCES).map(({ path, before, after }) => (
          <li key={path}>
            <code>{path}</code> {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
          </li>
        ))}
      </ul>
    </section>
  );
}
