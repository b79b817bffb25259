/** Whom the plan, or one job, wants told: a group of fields for each document that says it. */
import type { ComponentChildren, JSX } from "preact";
import type { Draft } from "../../editing/draft";
import { DETAIL_FIELDS, type Field, TOLD_FIELDS } from "../../editing/fields";
import type { Obj } from "../../editing/plan";
import { put } from "../../editing/source";
import { setTold, type ToldList, toldOf } from "../../editing/told";
import { words } from "../../words";
import { Fields, Labelled } from "./field";

type Faults = Record<string, string[]>;

const text = (one: Obj, key: string): string => (typeof one[key] === "string" ? one[key] : "");

export function ToldOfPlan({ draft, faults }: { draft: Draft; faults: Faults }): JSX.Element {
  const source = draft.source.value;
  const all = toldOf(source, "notifications");
  const add = (): void => draft.change(setTold(source, "notifications", all.length, { contextName: source.plan.name, monitorTypes: ["ERROR"] }));
  return (
    <Section title={words.editor.told.title} none={all.length === 0 ? words.editor.told.none : ""} add={add}>
      {all.map((one, place) => (
        <Document key={place} draft={draft} list="notifications" place={place} one={one} fields={TOLD_FIELDS} legend={words.editor.told.nth(place + 1)} faults={faults} />
      ))}
    </Section>
  );
}

/** Documents name a job without its agent: two of one name share them. */
export function ToldOfJob({ draft, job, contexts, faults }: { draft: Draft; job: string; contexts: string[]; faults: Faults }): JSX.Element {
  const source = draft.source.value;
  const all = toldOf(source, "notification_details");
  const own = all.map((one, place) => ({ one, place })).filter(({ one }) => one["jobName"] === job);
  const add = (): void => draft.change(setTold(source, "notification_details", all.length, { jobName: job, contextName: source.plan.name, monitorType: "ERROR" }));
  return (
    <Section title={words.editor.told.ofJob} none={own.length === 0 ? words.editor.told.noneOfJob : ""} add={add}>
      {own.map(({ one, place }) => {
        const context = text(one, "childContextName");
        const choices = [...new Set(["", ...contexts, context])];
        const legend = words.editor.told.nthOfJob(text(one, "monitorType"), context);
        return (
          <Document key={place} draft={draft} list="notification_details" place={place} one={one} fields={DETAIL_FIELDS} legend={legend} faults={faults}>
            <Labelled label={words.editor.told.inContext} faults={faults[`notification_details.${place}.childContextName`] ?? []}>
              {(ids) => (
                <select {...ids} value={context} onChange={(event) => draft.change(setTold(source, "notification_details", place, put(one, "childContextName", event.currentTarget.value)))}>
                  {choices.map((name) => (
                    <option key={name} value={name}>
                      {name === "" ? words.editor.told.anyContext : name}
                    </option>
                  ))}
                </select>
              )}
            </Labelled>
          </Document>
        );
      })}
    </Section>
  );
}

function Section({ title, none, add, children }: { title: string; none: string; add: () => void; children: ComponentChildren }): JSX.Element {
  return (
    <Labelled label={title} hint={none} faults={[]} isGroup>
      {() => (
        <div class="told">
          {children}
          <p class="buttons">
            <button type="button" onClick={add}>
              {words.editor.told.add}
            </button>
          </p>
        </div>
      )}
    </Labelled>
  );
}

interface Wanted {
  draft: Draft;
  list: ToldList;
  place: number;
  one: Obj;
  fields: Field[];
  legend: string;
  faults: Faults;
  children?: ComponentChildren;
}

function Document({ draft, list, place, one, fields, legend, faults, children }: Wanted): JSX.Element {
  const source = draft.source.value;
  const start = `${list}.${place}.`;
  const own = Object.fromEntries(Object.entries(faults).flatMap(([key, found]) => (key.startsWith(start) ? [[key.slice(start.length), found]] : [])));
  const shown = new Set<string>([...fields.map((field) => field.key), "childContextName"]);
  const rest = Object.entries(own).flatMap(([key, found]) => (shown.has(key) ? [] : found));
  const change = (next: Obj | undefined): void => draft.change(setTold(source, list, place, next));
  return (
    <fieldset class="told">
      <legend>{legend}</legend>
      {rest.map((fault) => (
        <p key={fault} class="fault">
          {fault}
        </p>
      ))}
      <Fields fields={fields.slice(0, 1)} owner={one} faults={own} change={change} />
      {children}
      <Fields fields={fields.slice(1)} owner={one} faults={own} change={change} />
      <p class="buttons">
        <button type="button" onClick={() => change(undefined)}>
          {words.editor.told.remove(legend)}
        </button>
      </p>
    </fieldset>
  );
}
