/** A plan that is not here yet: dropped as a bundle, or begun empty; then it is edited like any other. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { readLines } from "../dialog";
import { NoPlan, sourceOf, tokensIn, withTokens } from "../editing/bundle";
import { Draft, drafts } from "../editing/draft";
import type { Source } from "../editing/plan";
import { fresh } from "../editing/source";
import { plans } from "../picture";
import { to } from "../route";
import { words } from "../words";
import { Desk } from "./editor";

const NEW = "";

export function Bring({ tab }: { tab: string }): JSX.Element {
  const [draft, setDraft] = useState(drafts.get(NEW));
  const take = (source: Source): void => {
    const name = source.plan.name;
    const stored = plans().find((one) => one.plan === name);
    const begun = new Draft(undefined, 0, source);
    // It is work of somebody, even before the first change.
    begun.past.value = stored === undefined ? [source] : [];
    drafts.set(NEW, begun);
    setDraft(begun);
  };
  const giveUp = (): void => {
    drafts.delete(NEW);
    setDraft(undefined);
  };
  if (draft === undefined) return <Choosing take={take} />;
  return <Desk draft={draft} title={words.editor.bring} tab={tab} where={(name) => to("bring", name)} giveUp={giveUp} />;
}

function Choosing({ take }: { take: (source: Source) => void }): JSX.Element {
  const [fault, setFault] = useState("");
  const [open, setOpen] = useState<Source>();
  const [values, setValues] = useState("");
  const [name, setName] = useState("");
  const [over, setOver] = useState(false);
  const isThere = plans().some((one) => one.plan === name.trim());
  const read = (files: FileList | undefined | null): void => {
    if (files === undefined || files === null || files.length === 0) return;
    setFault("");
    sourceOf([...files]).then(
      (source) => {
        const tokens = tokensIn(source);
        if (tokens.length === 0) return take(source);
        setValues(tokens.map((token) => `${token}=`).join("\n"));
        return setOpen(source);
      },
      (error: Error) => setFault(error instanceof NoPlan ? error.message : words.editor.noJson(error.message)),
    );
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    read(event.dataTransfer?.files);
  };
  const fill = (event: Event): void => {
    event.preventDefault();
    const found = readLines(values);
    if (typeof found === "string") setFault(words.actions.badLine(found));
    else if (open !== undefined) take(withTokens(open, found));
  };
  return (
    <>
      <h1>{words.editor.bring}</h1>
      <div class={over ? "dropping over" : "dropping"} onDragOver={(event) => (event.preventDefault(), setOver(true))} onDragLeave={() => setOver(false)} onDrop={drop}>
        <p>{words.editor.drop}</p>
        <label class="file">
          {words.editor.file} <input type="file" multiple accept=".json,.zip,application/json,application/zip" onChange={(event) => read(event.currentTarget.files)} />
        </label>
      </div>
      {fault !== "" && <p role="alert">{fault}</p>}
      {open !== undefined && (
        <form class="sheet" onSubmit={fill}>
          <div class="field">
            <label for="tokens">{words.editor.tokens}</label>
            <textarea id="tokens" class="source" rows={6} spellcheck={false} value={values} aria-describedby="tokens-about" onInput={(event) => setValues(event.currentTarget.value)} />
            <div id="tokens-about" class="about quiet">
              {words.editor.tokensHint}
            </div>
          </div>
          <p class="buttons">
            <button type="submit" class="primary">
              {words.editor.takeTokens}
            </button>
          </p>
        </form>
      )}
      <h2>{words.editor.begin}</h2>
      <form class="tools" onSubmit={(event) => (event.preventDefault(), take(fresh(name.trim())))}>
        <label>
          {words.editor.name} <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={name.trim() === "" || isThere}>
          {words.editor.beginIt}
        </button>
        {isThere && <span class="fault">{words.editor.isThere}</span>}
      </form>
    </>
  );
}
