/**
 * A plan to change: as forms, as a graph, or as the JSON that all of them write. The dashboard checks it as it changes; what
 * would change is shown before it is saved.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { deleting } from "../acting";
import { differences } from "../differences";
import type { Fault, PlanVersion } from "../documents";
import { Draft, drafts } from "../editing/draft";
import { placeOf, rangeOf } from "../editing/places";
import type { Source } from "../editing/plan";
import { isSource } from "../editing/source";
import { askOnce } from "../link";
import { Act, Empty } from "../parts";
import { plan as stored } from "../picture";
import { forbidden } from "../rights";
import { to } from "../route";
import { words } from "../words";
import { DrawingEditor } from "./editing/drawing";
import { Form } from "./editing/forms";
import { Outline } from "./editing/outline";
import { Review } from "./editing/review";
import { Changes, Verdict } from "./editing/verdict";

const TABS = ["form", "graph", "json"] as const;

export function Editor({ plan, tab }: { plan: string; tab: string }): JSX.Element {
  const [draft, setDraft] = useState(drafts.get(plan));
  const [fault, setFault] = useState("");
  const read = (): void => {
    askOnce<PlanVersion>({ ask: "plan.version", plan }).then(
      ({ source, version }) => {
        if (drafts.get(plan)?.touched) return; // somebody has begun to type
        const fresh = new Draft(source as unknown as Source, version, source as unknown as Source);
        drafts.set(plan, fresh);
        setDraft(fresh);
      },
      (error: Error) => setFault(error.message),
    );
  };
  useEffect(() => {
    // What nobody touched is read anew: somebody else may have saved meanwhile.
    if (draft === undefined || !draft.touched) read();
  }, []);
  if (fault !== "") return <p role="alert">{fault}</p>;
  if (draft === undefined) return <Empty>{words.audit.loading}</Empty>;
  return (
    <Desk
      draft={draft}
      title={words.editor.title(plan)}
      tab={tab}
      where={(name) => to("plans", plan, name)}
      giveUp={() => {
        drafts.delete(plan);
        read();
      }}
    />
  );
}

interface Wanted {
  draft: Draft;
  title: string;
  tab: string;
  where: (tab: string) => string;
  giveUp: () => void;
}

export function Desk({ draft, title, tab, where, giveUp }: Wanted): JSX.Element {
  const [reviewing, review] = useState(false);
  const [shown, show] = useState<Fault>();
  const source = draft.source.value;
  const { found } = draft.checked.value;
  const wrong = (found?.faults ?? []).some((one) => !one.warning);
  const ready = found !== undefined && !wrong && found.changed && draft.torn.value === undefined;
  const why = forbidden({ ask: "plan.import", source });
  const changed = draft.before === undefined ? [] : differences(draft.before, source);
  const go = (fault: Fault): void => {
    show({ ...fault });
    if (tab !== "json") draft.choose(placeOf(source, fault).part);
  };
  return (
    <div class="editor">
      <h1>{title}</h1>
      <div class="tools">
        <button type="button" class="primary" disabled={!ready || why !== ""} title={why || (ready ? "" : words.editor.notReady)} onClick={() => review(true)}>
          {words.editor.review}
        </button>
        <button type="button" disabled={draft.past.value.length === 0} onClick={() => draft.undo()}>
          {words.editor.undo}
        </button>
        <button type="button" disabled={draft.future.value.length === 0} onClick={() => draft.redo()}>
          {words.editor.redo}
        </button>
        {why !== "" && <span class="fault">{why}</span>}
        {draft.touched && (
          <>
            <button type="button" onClick={giveUp}>
              {words.editor.drop_draft}
            </button>
            <span class="quiet">{words.editor.draft}</span>
          </>
        )}
        <a href={to("plans")}>{words.plans.title}</a>
        {draft.before !== undefined && <Delete plan={source.plan.name} />}
      </div>
      <nav class="tabs" aria-label={words.editor.views}>
        {TABS.map((name) => (
          <a key={name} href={where(name)} aria-current={tab === name ? "page" : undefined}>
            {words.editor.tabs[name]}
          </a>
        ))}
      </nav>
      <div class={`desk as-${tab}`}>
        {tab === "json" ? <Text draft={draft} shown={shown} /> : tab === "graph" ? <DrawingEditor draft={draft} /> : <Forms draft={draft} />}
        <aside aria-live="polite">
          <Verdict draft={draft} show={go} />
          {draft.before !== undefined && changed.length === 0 ? <p class="quiet">{words.editor.unchanged}</p> : <Changes changes={changed} />}
        </aside>
      </div>
      {reviewing && <Review draft={draft} close={() => review(false)} />}
    </div>
  );
}

/** Goes with the plan; the draft stays. */
function Delete({ plan }: { plan: string }): JSX.Element | null {
  return stored(plan) === undefined ? null : <Act name={plan} choice={deleting(plan)} label={words.plans.delete} title={`${words.plans.delete} ${plan}`} />;
}

function Forms({ draft }: { draft: Draft }): JSX.Element {
  return (
    <div class="forms">
      <Outline draft={draft} />
      <Form draft={draft} />
    </div>
  );
}

/** The whole as text. What is no JSON (yet) stays as it was typed; what is, is the plan at once. */
function Text({ draft, shown }: { draft: Draft; shown: Fault | undefined }): JSX.Element {
  const source = draft.source.value;
  const box = useRef<HTMLTextAreaElement>(null);
  const typed = useRef<{ text: string; source: Source } | undefined>(undefined);
  const text = draft.torn.value?.text ?? (typed.current?.source === source ? typed.current.text : JSON.stringify(source, null, 2));
  useEffect(() => {
    if (shown === undefined || box.current === null) return;
    const [begin, end] = rangeOf(source, text, shown);
    const lines = text.slice(0, begin).split("\n").length;
    const height = box.current.scrollHeight / text.split("\n").length;
    box.current.focus();
    box.current.setSelectionRange(begin, end);
    box.current.scrollTop = Math.max(0, (lines - 6) * height);
  }, [shown]);
  const write = (next: string): void => {
    try {
      const value: unknown = JSON.parse(next);
      if (!isSource(value)) throw new Error(words.editor.noPlan);
      typed.current = { text: next, source: value };
      draft.change(value);
    } catch (error) {
      draft.torn.value = { text: next, why: words.editor.noJson((error as Error).message) };
    }
  };
  return <textarea ref={box} aria-label={words.editor.text} class="source whole" spellcheck={false} wrap="off" value={text} onInput={(event) => write(event.currentTarget.value)} />;
}
