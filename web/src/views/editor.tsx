/**
 * A plan as JSON, to change or to bring: checked by the dashboard as it is typed, with its faults at their places and its next
 * starts; and what would change is shown before it is saved.
 */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { say } from "../acting";
import { type Difference, differences } from "../differences";
import type { PlanChecked, PlanVersion } from "../documents";
import { askOnce } from "../link";
import { Empty, When } from "../parts";
import { to } from "../route";
import { words } from "../words";

const PAUSE = 400;
const MOST_DIFFERENCES = 200;

type Source = { plan?: { name?: string; timezone?: string } };

interface Checked {
  source?: Source;
  found?: PlanChecked;
  fault?: string;
}

export function Editor({ plan }: { plan: string | undefined }): JSX.Element {
  const [before, setBefore] = useState<Source | undefined>(plan === undefined ? {} : undefined);
  const [text, setText] = useState("");
  const [checked, setChecked] = useState<Checked>({});
  const [fault, setFault] = useState("");
  useEffect(() => {
    if (plan === undefined) return;
    askOnce<PlanVersion>({ ask: "plan.version", plan }).then(
      (answer) => {
        setBefore((answer.source ?? {}) as Source);
        setText(JSON.stringify(answer.source, null, 2));
      },
      (error: Error) => setFault(error.message),
    );
  }, [plan]);
  useEffect(() => {
    if (text.trim() === "") return setChecked({});
    let wanted = true;
    const timer = setTimeout(() => void check(text).then((answer) => wanted && setChecked(answer)), PAUSE);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text]);
  const drop = (event: DragEvent): void => {
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    event.preventDefault();
    void file.text().then(setText);
  };
  if (fault !== "") return <p role="alert">{fault}</p>;
  if (before === undefined) return <Empty>{words.audit.loading}</Empty>;
  const changes = checked.source === undefined ? [] : differences(before, checked.source);
  const wrong = (checked.found?.faults ?? []).filter((one) => !one.warning).length;
  const ready = checked.found !== undefined && wrong === 0 && checked.found.changed;
  const save = (): void => {
    const name = checked.found?.plan ?? "";
    askOnce<{ version: number }>({ ask: "plan.import", source: checked.source }).then(
      (answer) => {
        say(true, words.editor.saved(name, answer.version));
        location.hash = to("plans");
      },
      (error: Error) => say(false, error.message),
    );
  };
  return (
    <div class="editor" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <h1>{plan === undefined ? words.editor.bring : words.editor.title(plan)}</h1>
      <p class="quiet">{words.editor.hint}</p>
      <p class="buttons">
        <label class="file">
          {words.editor.file} <input type="file" accept=".json,application/json" onChange={(event) => void event.currentTarget.files?.[0]?.text().then(setText)} />
        </label>
      </p>
      <div class="halves">
        <textarea aria-label={words.editor.text} class="source" spellcheck={false} rows={28} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <div aria-live="polite">
          <Verdict checked={checked} wrong={wrong} />
          <Changes changes={changes} />
        </div>
      </div>
      <p class="buttons">
        <button type="button" class="primary" disabled={!ready} title={ready ? "" : words.editor.notReady} onClick={save}>
          {words.editor.save}
        </button>
        <a href={to("plans")}>{words.actions.cancel}</a>
      </p>
    </div>
  );
}

async function check(text: string): Promise<Checked> {
  let source: Source;
  try {
    source = JSON.parse(text) as Source;
  } catch (error) {
    return { fault: words.editor.noJson((error as Error).message) };
  }
  try {
    return { source, found: await askOnce<PlanChecked>({ ask: "plan.check", source }) };
  } catch (error) {
    return { source, fault: (error as Error).message };
  }
}

function Verdict({ checked, wrong }: { checked: Checked; wrong: number }): JSX.Element | null {
  if (checked.fault !== undefined) return <p role="alert">{checked.fault}</p>;
  if (checked.found === undefined) return null;
  const { faults, nextStarts = [] } = checked.found;
  return (
    <section>
      <h2>{wrong > 0 ? words.editor.faults(wrong) : words.editor.good}</h2>
      <ul class="faults">
        {faults.map((one) => (
          <li key={`${one.path} ${one.message}`} class={one.warning ? "warning" : "fault"}>
            <code>{one.path}</code> {one.message}
          </li>
        ))}
      </ul>
      {wrong === 0 && (
        <>
          <h2>{words.editor.next}</h2>
          {nextStarts.length === 0 ? (
            <p class="quiet">{words.plans.never}</p>
          ) : (
            <ol>
              {nextStarts.map((at) => (
                <li key={at}>
                  <When at={at} zone={checked.source?.plan?.timezone} />
                </li>
              ))}
            </ol>
          )}
        </>
      )}
    </section>
  );
}

function Changes({ changes }: { changes: Difference[] }): JSX.Element | null {
  if (changes.length === 0) return null;
  return (
    <section>
      <h2>{words.editor.changes(changes.length)}</h2>
      <ul class="differences">
        {changes.slice(0, MOST_DIFFERENCES).map(({ path, before, after }) => (
          <li key={path}>
            <code>{path}</code> {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
          </li>
        ))}
      </ul>
    </section>
  );
}
