import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { words } from "../../words";
import { Labelled } from "./field";

/** A name that is taken over when it is left, so that everything that names it changes once. */
export function Name({ label, value, taken, faults = [], apply }: { label: string; value: string; taken: (name: string) => boolean; faults?: string[]; apply: (name: string) => void }): JSX.Element {
  const [text, setText] = useState(value);
  const name = text.trim();
  const bad = name !== value && (name === "" || taken(name));
  return (
    <Labelled label={label} faults={bad ? [...faults, words.editor.isTaken] : faults}>
      {(ids) => <input {...ids} value={text} onInput={(event) => setText(event.currentTarget.value)} onChange={() => !bad && name !== value && apply(name)} />}
    </Labelled>
  );
}
