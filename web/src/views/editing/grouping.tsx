/** What something depends on: all of these, or any of those, and none of the rest; groups nest. */
import type { JSX } from "preact";
import type { Grouping as Terms, Operator } from "../../documents";
import { put } from "../../editing/source";
import { words } from "../../words";

interface Wanted {
  value: Terms | undefined;
  /** What can be depended on, by identifier, with the name people know. */
  candidates: Map<string, string>;
  /** Whose dependencies these are. */
  owner: string;
  change: (next: Terms | undefined) => void;
  depth?: number;
}

const LISTS = ["and", "or", "not"] as const;
const DEEPEST = 6;

export function Grouping({ value = {}, candidates, owner, change, depth = 0 }: Wanted): JSX.Element {
  const set = (list: (typeof LISTS)[number], terms: Operator[]): void => {
    const next = put(value, list, terms);
    change(Object.keys(next).length === 0 ? undefined : next);
  };
  return (
    <div class="grouping">
      {LISTS.map((list) => {
        const terms = value[list] ?? [];
        const replace = (place: number, one: Operator | undefined): void => set(list, terms.flatMap((old, index) => (index !== place ? [old] : one === undefined ? [] : [one])));
        return (
          <div key={list} class="row terms">
            <span class="which">{words.editor.lists[list]}</span>
            {terms.map((term, place) => (
              <Term key={`${place} ${term.identifier ?? ""}`} term={term} candidates={candidates} owner={owner} depth={depth} change={(next) => replace(place, next)} />
            ))}
            <select aria-label={`${owner}: ${words.editor.lists[list]}`} value="" onChange={(event) => event.currentTarget.value !== "" && set(list, [...terms, { identifier: event.currentTarget.value }])}>
              <option value="">{words.editor.choose}</option>
              {[...candidates].map(([id, name]) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
            {depth < DEEPEST && (
              <button type="button" class="small" onClick={() => set(list, [...terms, { logicalGrouping: {} }])}>
                {words.editor.nest}
              </button>
            )}
          </div>
        );
      })}
      {value.logicalGrouping !== undefined && (
        <fieldset>
          <legend>{words.editor.group}</legend>
          <Grouping value={value.logicalGrouping} candidates={candidates} owner={owner} depth={depth + 1} change={(next) => change(put(value, "logicalGrouping", next))} />
        </fieldset>
      )}
    </div>
  );
}

interface One {
  term: Operator;
  candidates: Map<string, string>;
  owner: string;
  depth: number;
  change: (next: Operator | undefined) => void;
}

function Term({ term, candidates, owner, depth, change }: One): JSX.Element {
  const name = term.identifier === undefined ? words.editor.group : (candidates.get(term.identifier) ?? term.identifier);
  const remove = (
    <button type="button" class="small" aria-label={words.editor.removeFrom(name, owner)} onClick={() => change(undefined)}>
      ×
    </button>
  );
  if (term.logicalGrouping === undefined) {
    return (
      <span class="chip">
        {name} {remove}
      </span>
    );
  }
  return (
    <fieldset>
      <legend>
        {name} {remove}
      </legend>
      <Grouping value={term.logicalGrouping} candidates={candidates} owner={owner} depth={depth + 1} change={(next) => change({ ...term, logicalGrouping: next ?? {} })} />
    </fieldset>
  );
}
