/** The last look before a draft is saved: how it differs from what is stored. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { say } from "../../acting";
import { differences } from "../../differences";
import { type Draft, drafts } from "../../editing/draft";
import { askOnce } from "../../link";
import { plan as planAt } from "../../picture";
import { to } from "../../route";
import { words } from "../../words";
import { Changes } from "./verdict";

export function Review({ draft, close }: { draft: Draft; close: () => void }): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  const source = draft.source.value;
  const name = source.plan.name;
  const stored = planAt(name)?.version ?? 0;
  const save = (): void => {
    close();
    const here = location.hash;
    askOnce<{ version: number }>({ ask: "plan.import", source }).then(
      (answer) => {
        say(true, words.editor.saved(name, answer.version));
        if (draft.source.value !== source) return; // somebody typed on: the draft has more than what was saved
        for (const [key, one] of drafts) if (one === draft) drafts.delete(key);
        if (location.hash === here) location.hash = to("plans");
      },
      (error: Error) => say(false, error.message),
    );
  };
  return (
    <dialog ref={box} class="wide" onClose={close} aria-labelledby="review-title">
      <h2 id="review-title">{words.editor.reviewTitle(name)}</h2>
      {stored > draft.version && <p class="doubt">{draft.version === 0 ? words.editor.isThere : words.editor.overtaken(stored, draft.version)}</p>}
      {draft.before === undefined ? <p>{words.editor.newPlan}</p> : <Changes changes={differences(draft.before, source)} />}
      <p class="quiet">{words.editor.hint}</p>
      <p class="buttons">
        <button type="button" onClick={close}>
          {words.editor.back}
        </button>
        <button type="button" class="primary" onClick={save}>
          {words.editor.save}
        </button>
      </p>
    </dialog>
  );
}
