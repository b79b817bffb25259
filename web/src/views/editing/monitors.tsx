/** Fields of notifications: which monitors are wanted, and what is said for single ones of them. */
import type { JSX } from "preact";
import { partsOf } from "../../editing/lists";
import { words } from "../../words";
import { Typed } from "./typed";

interface Choice {
  among: readonly string[];
  value: string[];
  change: (value: string[]) => void;
}

/** Others than those that can be chosen stay as they are. */
export function Chosen({ among, value, change }: Choice): JSX.Element {
  return (
    <span class="row">
      {among.map((one) => (
        <label key={one}>
          <input type="checkbox" checked={value.includes(one)} onChange={(event) => change(event.currentTarget.checked ? [...value, one] : value.filter((other) => other !== one))} /> {one}
        </label>
      ))}
    </span>
  );
}

interface Said {
  shape: "addressesOf" | "templatesOf";
  label: string;
  among: readonly string[];
  value: Record<string, string | string[]>;
  change: (value: Record<string, string | string[]>) => void;
}

/** By monitor: addresses, or the name of a template. */
export function OfMonitors({ shape, label, among, value, change }: Said): JSX.Element {
  const free = among.filter((one) => !(one in value));
  const without = (monitor: string): Said["value"] => Object.fromEntries(Object.entries(value).filter(([one]) => one !== monitor));
  const read = (text: string): string | string[] => (shape === "addressesOf" ? partsOf(text, ",") : text.trim());
  return (
    <>
      {Object.entries(value).map(([monitor, said]) => (
        <span key={monitor} class="row pair">
          <span class="which">{monitor}</span>
          <Typed
            aria-label={`${words.editor.told.value[shape]}: ${monitor}`}
            value={Array.isArray(said) ? said.join(", ") : said}
            take={(text) => change({ ...value, [monitor]: read(text) })}
          />
          <button type="button" aria-label={words.editor.removeFrom(monitor, label)} onClick={() => change(without(monitor))}>
            ×
          </button>
        </span>
      ))}
      {free.length > 0 && (
        <select aria-label={words.editor.told.addFor(label)} value="" onChange={(event) => change({ ...value, [event.currentTarget.value]: read("") })}>
          <option value="">{words.editor.choose}</option>
          {free.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      )}
    </>
  );
}
