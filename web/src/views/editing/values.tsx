/** Values by name, one a row, which the JSON has as `{"name": "value"}`. A name is given when its row is added. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { words } from "../../words";

interface Wanted {
  label: string;
  value: Record<string, string>;
  change: (value: Record<string, string>) => void;
}

export function Values({ label, value, change }: Wanted): JSX.Element {
  const [text, setText] = useState("");
  const name = text.trim();
  const add = (): void => {
    change({ ...value, [name]: "" });
    setText("");
  };
  return (
    <>
      {Object.entries(value).map(([one, said]) => (
        <span key={one} class="row pair">
          <span class="which">{one}</span>
          <input aria-label={`${words.editor.pairValue}: ${one}`} value={said} onInput={(event) => change({ ...value, [one]: event.currentTarget.value })} />
          <button type="button" aria-label={words.editor.removeFrom(one, label)} onClick={() => change(Object.fromEntries(Object.entries(value).filter(([other]) => other !== one)))}>
            ×
          </button>
        </span>
      ))}
      <span class="row">
        <input aria-label={`${label}: ${words.editor.pairName}`} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="button" disabled={name === "" || name in value} onClick={add}>
          {words.editor.addValue}
        </button>
      </span>
    </>
  );
}
