/** The form of a lock: how many units it has, and which jobs take how many of them. */
import type { JSX } from "preact";
import type { Draft } from "../../editing/draft";
import type { Lock, Participant } from "../../editing/plan";
import { contextsOf, idOf, inContext, put } from "../../editing/source";
import { words } from "../../words";
import { Labelled } from "./field";
import { Name } from "./name";
import { Typed } from "./typed";

export function LockForm({ draft, context, lock }: { draft: Draft; context: string; lock: Lock }): JSX.Element {
  const source = draft.source.value;
  const faults = draft.faultsAt((part) => part.kind === "lock" && part.context === context && part.name === lock.name);
  const change = (next: Lock | undefined): void => {
    draft.change(inContext(source, context, (one) => put(one, "jobLocks", (one.jobLocks ?? []).flatMap((old) => (old.name !== lock.name ? [old] : next === undefined ? [] : [next])))));
    draft.choose(next === undefined ? { kind: "context", name: context } : { kind: "lock", context, name: next.name });
  };
  const taken = (name: string): boolean => contextsOf(source.plan).some((one) => (one.context.jobLocks ?? []).some((other) => other.name === name));
  return (
    <form class="sheet" onSubmit={(event) => event.preventDefault()}>
      <h2>
        {words.editor.lock} {lock.name}
      </h2>
      {Object.values(faults)
        .flat()
        .map((fault) => (
          <p key={fault} class="fault">
            {fault}
          </p>
        ))}
      <Name label={words.editor.contextName} value={lock.name} taken={taken} apply={(name) => change({ ...lock, name })} />
      <Labelled label={words.editor.units} faults={[]}>
        {(ids) => <Typed {...ids} type="number" min={1} value={String(lock.lockCount ?? 1)} take={(text) => change({ ...lock, lockCount: Number(text) })} />}
      </Labelled>
      <Labelled label={words.editor.exclusive} faults={[]} isCheck>
        {(ids) => <input {...ids} type="checkbox" checked={lock.exclusiveJobLock === true} onChange={(event) => change(put(lock, "exclusiveJobLock", event.currentTarget.checked))} />}
      </Labelled>
      <Labelled label={words.editor.members} faults={[]} isGroup>
        {() => <Members draft={draft} lock={lock} change={change} />}
      </Labelled>
      <p class="buttons">
        <button type="button" onClick={() => change(undefined)}>
          {words.editor.remove(lock.name)}
        </button>
      </p>
    </form>
  );
}

function Members({ draft, lock, change }: { draft: Draft; lock: Lock; change: (next: Lock) => void }): JSX.Element {
  const jobs = lock.jobs ?? {};
  const set = (context: string, members: Participant[]): void => change(put(lock, "jobs", put(jobs, context, members)));
  const all = contextsOf(draft.source.value.plan).flatMap(({ context }) => (context.scheduledJobs ?? []).map((ref) => ({ context: context.name, ref })));
  const isIn = (context: string, id: string): boolean => (jobs[context] ?? []).some((one) => idOf(one) === id);
  const add = (place: string): void => {
    const { context, ref } = all[Number(place)] ?? {};
    if (context !== undefined && ref !== undefined) set(context, [...(jobs[context] ?? []), { agentName: ref.agentName, jobName: ref.jobName, lockCount: 1 }]);
  };
  return (
    <>
      {Object.entries(jobs).flatMap(([context, members]) =>
        members.map((one, place) => (
          <span key={`${context} ${idOf(one)}`} class="row">
            <span class="chip">
              {one.jobName} <span class="quiet">{context}</span>
            </span>
            <Typed
              type="number"
              min={1}
              aria-label={words.editor.weight(one.jobName)}
              value={String(one.lockCount ?? 1)}
              take={(text) => set(context, members.map((old, index) => (index === place ? { ...old, lockCount: Number(text) } : old)))}
            />
            <button type="button" aria-label={words.editor.removeFrom(one.jobName, lock.name)} onClick={() => set(context, members.filter((_, index) => index !== place))}>
              ×
            </button>
          </span>
        )),
      )}
      <select aria-label={words.editor.members} value="" onChange={(event) => add(event.currentTarget.value)}>
        <option value="">{words.editor.choose}</option>
        {all.map(({ context, ref }, place) =>
          isIn(context, idOf(ref)) ? null : (
            <option key={`${context} ${idOf(ref)}`} value={String(place)}>
              {ref.jobName} ({context})
            </option>
          ),
        )}
      </select>
    </>
  );
}
