/** The form of what is chosen: the plan, a context, a job or a lock. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Draft } from "../../editing/draft";
import { CONTEXT_FIELDS, JOB_FIELDS, PLAN_FIELDS } from "../../editing/fields";
import { keyOf } from "../../editing/places";
import type { Context, Ref } from "../../editing/plan";
import {
  addContext, addJob, artefactOf, contextsOf, dependencyOf, idOf, inContext, KINDS, type KindOfJob, kindOfJob, type Placed, put, refOf, removeContext,
  removeJob, renameContext, renameJob, reside, residencesOf, setArtefact, setDependency, DASHBOARD_AGENTS,
} from "../../editing/source";
import type { ToldList } from "../../editing/told";
import { agents } from "../../picture";
import { kindOf, words } from "../../words";
import { Fields, Labelled } from "./field";
import { Grouping } from "./grouping";
import { LockForm } from "./locks";
import { Name } from "./name";
import { ToldOfJob, ToldOfPlan } from "./told";

export function Form({ draft }: { draft: Draft }): JSX.Element {
  const part = draft.part.value;
  const source = draft.source.value;
  const places = contextsOf(source.plan);
  const key = keyOf(part);
  if (part.kind === "job") {
    const ref = refOf(source, part.id);
    if (ref !== undefined) return <JobForm key={key} draft={draft} jobRef={ref} />;
  }
  if (part.kind === "lock") {
    const holder = places.find(({ context }) => context.name === part.context)?.context;
    const lock = holder?.jobLocks?.find((one) => one.name === part.name);
    if (holder !== undefined && lock !== undefined) return <LockForm key={key} draft={draft} context={holder.name} lock={lock} />;
  }
  const found = places.find(({ context }) => part.kind === "context" && context.name === part.name) ?? places[0];
  return <ContextForm key={keyOf({ kind: "context", name: found?.context.name ?? "" })} draft={draft} placed={found as Placed} />;
}

function ContextForm({ draft, placed: { context, parent } }: { draft: Draft; placed: Placed }): JSX.Element {
  const source = draft.source.value;
  const isPlan = parent === "";
  const faults = draft.faultsAt((part) => part.kind === "context" && part.name === context.name);
  const names = new Set(contextsOf(source.plan).map((one) => one.context.name));
  const rename = (name: string): void => {
    draft.change(renameContext(source, context.name, name));
    draft.choose({ kind: "context", name });
  };
  const remove = (): void => {
    draft.change(removeContext(source, context.name));
    draft.choose({ kind: "context", name: parent });
  };
  return (
    <form class="sheet" onSubmit={(event) => event.preventDefault()}>
      <h2>
        {isPlan ? words.editor.plan : words.editor.context} {context.name}
      </h2>
      <Others faults={faults} known={[...(isPlan ? PLAN_FIELDS : CONTEXT_FIELDS).flatMap((field) => [field.key, field.key.split(".")[0] ?? ""]), "name", "contextDependencies"]} list="notifications" />
      {(!isPlan || draft.version === 0) && <Name label={words.editor.contextName} value={context.name} taken={(name) => names.has(name)} faults={faults["name"] ?? []} apply={rename} />}
      {!isPlan && <ContextNeeds draft={draft} context={context} parent={parent} faults={faults["contextDependencies"] ?? []} />}
      <Fields fields={isPlan ? PLAN_FIELDS : CONTEXT_FIELDS} owner={context} faults={faults} change={(next) => draft.change(inContext(source, context.name, () => next))} />
      {isPlan && <ToldOfPlan draft={draft} faults={faults} />}
      <Adding draft={draft} context={context} names={names} />
      {!isPlan && (
        <p class="buttons">
          <button type="button" onClick={remove}>
            {words.editor.remove(context.name)}
          </button>
        </p>
      )}
    </form>
  );
}

/** Faults that no field of the form is about. `list`: the notifications that the form shows. */
function Others({ faults, known, list }: { faults: Record<string, string[]>; known: string[]; list: ToldList }): JSX.Element | null {
  const rest = Object.entries(faults).filter(([key]) => !known.includes(key) && !key.startsWith(`${list}.`)).flatMap(([, found]) => found);
  if (rest.length === 0) return null;
  return (
    <ul class="faults">
      {rest.map((fault) => (
        <li key={fault} class="fault">
          {fault}
        </li>
      ))}
    </ul>
  );
}

/** Dependencies of a context stand in the one around it, with its name; those that stand in itself, without a grouping, as well. */
function ContextNeeds({ draft, context, parent, faults }: { draft: Draft; context: Context; parent: string; faults: string[] }): JSX.Element {
  const source = draft.source.value;
  const around = contextsOf(source.plan).find((one) => one.context.name === parent)?.context;
  const now = around?.contextDependencies?.find((one) => one.contextIdentifier === context.name && one.logicalGrouping !== undefined)?.logicalGrouping;
  const inside = new Set(contextsOf(context).map((one) => one.context.name));
  const candidates = new Map(contextsOf(source.plan).filter((one) => one.depth > 0 && !inside.has(one.context.name)).map((one) => [one.context.name, one.context.name]));
  const change = (next: typeof now): void =>
    draft.change(
      inContext(source, parent, (one) => {
        const others = (one.contextDependencies ?? []).filter((old) => old.contextIdentifier !== context.name || old.logicalGrouping === undefined);
        return put(one, "contextDependencies", next === undefined ? others : [...others, { contextIdentifier: context.name, logicalGrouping: next }]);
      }),
    );
  const own = (context.contextDependencies ?? []).filter((one) => one.logicalGrouping === undefined).map((one) => one.contextIdentifier);
  return (
    <Labelled label={words.editor.contextNeeds} faults={faults} isGroup>
      {() => (
        <>
          {own.length > 0 && <p>{own.join(", ")}</p>}
          <Grouping value={now} candidates={candidates} owner={context.name} change={change} />
        </>
      )}
    </Labelled>
  );
}

function Adding({ draft, context, names }: { draft: Draft; context: Context; names: Set<string> }): JSX.Element {
  const [kind, setKind] = useState<KindOfJob>("command");
  const known = agents().map((one) => one.node);
  const [agent, setAgent] = useState(known[0] ?? "");
  const [job, setJob] = useState("");
  const [child, setChild] = useState("");
  const [lock, setLock] = useState("");
  const source = draft.source.value;
  const ref = { agentName: DASHBOARD_AGENTS[kind] ?? agent.trim(), jobName: job.trim() };
  const isThere = (context.scheduledJobs ?? []).some((one) => idOf(one) === idOf(ref));
  const addIt = (): void => {
    draft.change(addJob(source, context.name, kind, ref.agentName, ref.jobName));
    draft.choose({ kind: "job", id: idOf(ref), context: context.name });
  };
  const addChild = (): void => {
    draft.change(addContext(source, context.name, child.trim()));
    draft.choose({ kind: "context", name: child.trim() });
  };
  const addLock = (): void => {
    draft.change(inContext(source, context.name, (one) => ({ ...one, jobLocks: [...(one.jobLocks ?? []), { name: lock.trim(), lockCount: 1 }] })));
    draft.choose({ kind: "lock", context: context.name, name: lock.trim() });
  };
  return (
    <>
      <fieldset class="field">
        <legend>{words.editor.addJob}</legend>
        <span class="row">
          <label>
            {words.editor.kind}{" "}
            <select value={kind} onChange={(event) => setKind(event.currentTarget.value as KindOfJob)}>
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {kindOf(one)}
                </option>
              ))}
            </select>
          </label>
          {DASHBOARD_AGENTS[kind] === undefined && (
            <label>
              {words.editor.agentName} <input list="agents-known" value={agent} onInput={(event) => setAgent(event.currentTarget.value)} />
            </label>
          )}
          <datalist id="agents-known">
            {known.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          <label>
            {words.editor.jobName} <input value={job} onInput={(event) => setJob(event.currentTarget.value)} />
          </label>
          <button type="button" disabled={ref.jobName === "" || ref.agentName === "" || isThere} onClick={addIt}>
            {words.editor.add}
          </button>
        </span>
      </fieldset>
      <Add legend={words.editor.addContext} text={child} set={setChild} taken={names.has(child.trim())} add={addChild} />
      <Add legend={words.editor.addLock} text={lock} set={setLock} taken={(context.jobLocks ?? []).some((one) => one.name === lock.trim())} add={addLock} />
    </>
  );
}

function Add({ legend, text, set, taken, add }: { legend: string; text: string; set: (text: string) => void; taken: boolean; add: () => void }): JSX.Element {
  return (
    <fieldset class="field">
      <legend>{legend}</legend>
      <span class="row">
        <input aria-label={`${legend}: ${words.editor.contextName}`} value={text} onInput={(event) => set(event.currentTarget.value)} />
        <button type="button" aria-label={legend} disabled={text.trim() === "" || taken} onClick={add}>
          {words.editor.add}
        </button>
      </span>
    </fieldset>
  );
}

function JobForm({ draft, jobRef }: { draft: Draft; jobRef: Ref }): JSX.Element {
  const source = draft.source.value;
  const id = idOf(jobRef);
  const kind = kindOfJob(source, jobRef);
  const artefact = artefactOf(source, id);
  const faults = draft.faultsAt((part) => part.kind === "job" && part.id === id);
  const places = contextsOf(source.plan);
  const here = residencesOf(source, id);
  const rename = (agentName: string, jobName: string): void => {
    draft.change(renameJob(source, id, agentName, jobName));
    draft.choose({ kind: "job", id: idOf({ agentName, jobName }), context: "" });
  };
  const remove = (): void => {
    draft.change(removeJob(source, id));
    draft.choose({ kind: "context", name: here[0] ?? source.plan.name });
  };
  const fields = JOB_FIELDS[kind];
  const isAgents = DASHBOARD_AGENTS[kind] === undefined;
  return (
    <form class="sheet" onSubmit={(event) => event.preventDefault()}>
      <h2>
        {words.editor.job} {jobRef.jobName} <small>{kindOf(kind)}</small>
      </h2>
      <Others faults={faults} known={[...fields.flatMap((field) => [field.key, field.key.split(".")[0] ?? ""]), "jobDependencies", "jobName", "agentName"]} list="notification_details" />
      <Name label={words.editor.jobName} value={jobRef.jobName} taken={(name) => refOf(source, idOf({ ...jobRef, jobName: name })) !== undefined} faults={faults["jobName"] ?? []} apply={(name) => rename(jobRef.agentName, name)} />
      {isAgents && (
        <Name label={words.editor.agentName} value={jobRef.agentName} taken={(name) => refOf(source, idOf({ ...jobRef, agentName: name })) !== undefined} faults={faults["agentName"] ?? []} apply={(name) => rename(name, jobRef.jobName)} />
      )}
      {kind !== "clock" && kind !== "file" && (
        <Labelled label={words.editor.needs} faults={faults["jobDependencies"] ?? []} isGroup>
          {() => (
            <>
              {here.map((context) => (
                <Needs key={context} draft={draft} id={id} context={context} name={jobRef.jobName} several={here.length > 1} />
              ))}
            </>
          )}
        </Labelled>
      )}
      {artefact !== undefined && <Fields fields={fields} owner={artefact} faults={faults} change={(next) => draft.change(setArtefact(source, id, () => next))} />}
      <ToldOfJob draft={draft} job={jobRef.jobName} contexts={here} faults={faults} />
      <Labelled label={words.editor.residences} faults={[]} isGroup>
        {() => (
          <span class="row">
            {places.map(({ context: { name } }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={here.includes(name)}
                  disabled={here.length === 1 && here.includes(name)}
                  onChange={(event) => draft.change(reside(source, id, name, event.currentTarget.checked))}
                />{" "}
                {name}
              </label>
            ))}
          </span>
        )}
      </Labelled>
      <p class="buttons">
        <button type="button" onClick={remove}>
          {words.editor.remove(jobRef.jobName)}
        </button>
      </p>
    </form>
  );
}

function Needs({ draft, id, context, name, several }: { draft: Draft; id: string; context: string; name: string; several: boolean }): JSX.Element {
  const source = draft.source.value;
  const jobs = contextsOf(source.plan).find((one) => one.context.name === context)?.context.scheduledJobs ?? [];
  const candidates = new Map(jobs.filter((ref) => idOf(ref) !== id).map((ref) => [idOf(ref), ref.jobName]));
  const now = dependencyOf(source, context, id);
  return (
    <>
      {several && <h3>{words.editor.needsIn(context)}</h3>}
      {now === undefined && <p class="quiet">{words.editor.needsNothing}</p>}
      <Grouping value={now} candidates={candidates} owner={several ? `${name} (${context})` : name} change={(next) => draft.change(setDependency(source, context, id, next))} />
    </>
  );
}
