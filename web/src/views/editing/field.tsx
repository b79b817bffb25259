/** One field of a form, by its shape; what is wrong with it stands below it. */
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { Parameter } from "../../documents";
import type { Field, Shape } from "../../editing/fields";
import { partsOf } from "../../editing/lists";
import type { Obj } from "../../editing/plan";
import { put } from "../../editing/source";
import { words } from "../../words";
import { Chosen, OfMonitors } from "./monitors";
import { Ranges } from "./ranges";
import { Typed, TypedLines } from "./typed";
import { Values } from "./values";

/** The value at a path such as `retry.attempts`. */
function valueAt(owner: Obj, key: string): unknown {
  return key.split(".").reduce<unknown>((found, step) => (typeof found === "object" && found !== null ? (found as Obj)[step] : undefined), owner);
}

function putAt<T extends object>(owner: T, key: string, value: unknown): T {
  const [step = "", ...rest] = key.split(".");
  if (rest.length === 0) return put(owner, step, value);
  return put(owner, step, putAt(((owner as Obj)[step] ?? {}) as Obj, rest.join("."), value));
}

interface Wanted<T extends object> {
  fields: Field[];
  owner: T;
  faults: Record<string, string[]>;
  change: (next: T) => void;
}

export function Fields<T extends object>({ fields, owner, faults, change }: Wanted<T>): JSX.Element {
  const shown = fields.filter((field) => field.onlyIfThere !== true || valueAt(owner as Obj, field.key) !== undefined);
  return (
    <>
      {shown.map((field) => {
        const [label, hint] = words.fields[field.key];
        const top = field.key.split(".")[0] ?? "";
        return (
          <Labelled key={field.key} label={label} hint={hint} faults={[...(faults[field.key] ?? []), ...(top === field.key ? [] : (faults[top] ?? []))]} isCheck={field.shape === "check"} isGroup={GROUPS.has(field.shape)}>
            {(ids) => <Input field={field} ids={ids} label={label} value={valueAt(owner as Obj, field.key)} change={(value) => change(putAt(owner, field.key, value))} />}
          </Labelled>
        );
      })}
    </>
  );
}

const GROUPS = new Set<Shape>(["days", "span", "parameters", "ranges", "monitors", "addressesOf", "templatesOf", "values"]);

interface Ids {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": "true" | undefined;
}

interface Label {
  label: string;
  hint?: string;
  faults: string[];
  isCheck?: boolean;
  isGroup?: boolean;
  children: (ids: Ids) => JSX.Element;
}

export function Labelled({ label, hint = "", faults, isCheck = false, isGroup = false, children }: Label): JSX.Element {
  const id = useId();
  const about = hint !== "" || faults.length > 0 ? `${id}-about` : undefined;
  const input = children({ id, "aria-describedby": about, "aria-invalid": faults.length > 0 ? "true" : undefined });
  const below = about && (
    <div id={about} class="about">
      {hint !== "" && <span class="quiet">{hint}</span>}
      {faults.map((fault) => (
        <p key={fault} class="fault">
          {fault}
        </p>
      ))}
    </div>
  );
  if (isGroup) {
    return (
      <fieldset class="field" aria-describedby={about}>
        <legend>{label}</legend>
        {input}
        {below}
      </fieldset>
    );
  }
  return (
    <div class={isCheck ? "field check" : "field"}>
      {isCheck && input}
      <label for={id}>{label}</label>
      {!isCheck && input}
      {below}
    </div>
  );
}

interface One {
  field: Field;
  ids: Ids;
  label: string;
  value: unknown;
  change: (value: unknown) => void;
}

const written = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const listed = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const number = (text: string): number | undefined => (text.trim() === "" || Number.isNaN(Number(text)) ? undefined : Number(text));

function Input({ field: { shape, absent, monitors = [] }, ids, label, value, change }: One): JSX.Element {
  if (typeof shape !== "string") {
    return (
      <select {...ids} value={written(value)} onChange={(event) => change(event.currentTarget.value)}>
        {shape.map((one) => (
          <option key={one} value={one}>
            {one === "" ? words.editor.byDefault : one}
          </option>
        ))}
      </select>
    );
  }
  switch (shape) {
    case "long":
      return <textarea {...ids} rows={2} value={written(value)} onInput={(event) => change(event.currentTarget.value)} />;
    case "code":
      return <textarea {...ids} class="source" rows={Math.min(12, written(value).split("\n").length)} spellcheck={false} value={written(value)} onInput={(event) => change(event.currentTarget.value)} />;
    case "lines":
      return <TypedLines {...ids} rows={Math.max(2, listed(value).length)} value={listed(value).join("\n")} take={(text) => change(partsOf(text, "\n"))} />;
    case "words":
      return <Typed {...ids} value={listed(value).join(", ")} take={(text) => change(partsOf(text, ","))} />;
    case "codes":
      return <Typed {...ids} value={listed(value).join(", ")} take={(text) => change(partsOf(text, ",").map((one) => number(one) ?? one))} />;
    case "number":
      return <Typed {...ids} type="number" step="any" value={written(value)} placeholder={written(absent)} take={(text) => change(number(text))} />;
    case "check":
      return <input {...ids} type="checkbox" checked={value === true} onChange={(event) => change(event.currentTarget.checked)} />;
    case "zone":
      return (
        <>
          <Typed {...ids} list={`${ids.id}-zones`} value={written(value)} take={(text) => change(text.trim())} />
          <datalist id={`${ids.id}-zones`}>
            {ZONES.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      );
    case "days":
      return <Days chosen={listed(value) as number[]} change={change} />;
    case "span":
      return <Span value={Number(value ?? 0)} change={change} />;
    case "parameters":
      return <Pairs pairs={listed(value) as Parameter[]} change={change} />;
    case "ranges":
      return <Ranges value={(value ?? {}) as Record<string, string | number>} change={change} />;
    case "monitors":
      return <Chosen among={monitors} value={listed(value) as string[]} change={change} />;
    case "addressesOf":
    case "templatesOf":
      return <OfMonitors shape={shape} label={label} among={monitors} value={(value ?? {}) as Record<string, string | string[]>} change={change} />;
    case "values":
      return <Values label={label} value={(value ?? {}) as Record<string, string>} change={change} />;
    case "text":
      return <input {...ids} aria-label={label} value={written(value)} onInput={(event) => change(event.currentTarget.value)} />;
  }
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];

function Days({ chosen, change }: { chosen: number[]; change: (value: number[]) => void }): JSX.Element {
  return (
    <span class="row">
      {words.editor.days.map((name, place) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(place + 1)}
            onChange={(event) => change(event.currentTarget.checked ? [...chosen, place + 1].sort() : chosen.filter((day) => day !== place + 1))}
          />{" "}
          {name}
        </label>
      ))}
    </span>
  );
}

const SPANS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000 } as const;

/** Milliseconds as days, hours and minutes; what is less than a minute stays. */
function Span({ value, change }: { value: number; change: (value: number | undefined) => void }): JSX.Element {
  const days = Math.floor(value / SPANS.days);
  const hours = Math.floor((value % SPANS.days) / SPANS.hours);
  const minutes = Math.floor((value % SPANS.hours) / SPANS.minutes);
  const now = { days, hours, minutes };
  const units = Object.keys(SPANS) as (keyof typeof SPANS)[];
  return (
    <span class="row">
      {units.map((unit) => (
        <label key={unit}>
          <Typed type="number" min={0} value={String(now[unit])} take={(text) => change(value + ((number(text) ?? 0) - now[unit]) * SPANS[unit] || undefined)} />{" "}
          {words.editor.units_of[unit]}
        </label>
      ))}
    </span>
  );
}

function Pairs({ pairs, change }: { pairs: Parameter[]; change: (value: Parameter[]) => void }): JSX.Element {
  const set = (place: number, key: string, value: string): void => change(pairs.map((one, index) => (index === place ? { ...one, [key]: value } : one)));
  return (
    <>
      {pairs.map((one, place) => (
        <span key={place} class="row pair">
          <input aria-label={words.editor.pairName} value={one.name} onInput={(event) => set(place, "name", event.currentTarget.value)} />
          <input aria-label={words.editor.pairValue} value={one.defaultValue ?? ""} onInput={(event) => set(place, "defaultValue", event.currentTarget.value)} />
          <button type="button" aria-label={words.editor.remove(one.name)} onClick={() => change(pairs.filter((_, index) => index !== place))}>
            ×
          </button>
        </span>
      ))}
      <button type="button" onClick={() => change([...pairs, { name: "", defaultValue: "" }])}>
        {words.editor.addPair}
      </button>
    </>
  );
}
