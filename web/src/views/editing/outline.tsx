/** All parts of a plan, nested as they are; those with faults say so. */
import type { JSX } from "preact";
import type { Draft } from "../../editing/draft";
import { keyOf, type Part, placeOf } from "../../editing/places";
import { contextsOf, idOf } from "../../editing/source";
import { words } from "../../words";

export function Outline({ draft }: { draft: Draft }): JSX.Element {
  const source = draft.source.value;
  const faults = new Map<string, number>();
  for (const fault of draft.checked.value.found?.faults ?? []) {
    const key = keyOf(placeOf(source, fault).part);
    if (!fault.warning) faults.set(key, (faults.get(key) ?? 0) + 1);
  }
  const line = (part: Part, name: string, depth: number, isContext: boolean): JSX.Element => {
    const key = keyOf(part);
    const count = faults.get(key) ?? 0;
    return (
      <li key={`${depth} ${key} ${part.kind === "job" ? part.context : ""}`}>
        <button
          type="button"
          style={{ paddingInlineStart: `${0.5 + depth}rem` }}
          class={isContext ? "is-context" : ""}
          aria-current={keyOf(draft.part.value) === key ? "true" : undefined}
          onClick={() => draft.choose(part)}
        >
          {name}
          {count > 0 && <span class="count"> ✘ {words.editor.faults(count)}</span>}
        </button>
      </li>
    );
  };
  return (
    <nav class="outline" aria-label={words.editor.outline}>
      <ul>
        {contextsOf(source.plan).flatMap(({ context, depth }) => [
          line({ kind: "context", name: context.name }, context.name, depth, true),
          ...(context.scheduledJobs ?? []).map((ref) => line({ kind: "job", id: idOf(ref), context: context.name }, ref.displayName || ref.jobName, depth + 1, false)),
          ...(context.jobLocks ?? []).map((lock) => line({ kind: "lock", context: context.name, name: lock.name }, `${words.editor.lock} ${lock.name}`, depth + 1, false)),
        ])}
      </ul>
    </nav>
  );
}
