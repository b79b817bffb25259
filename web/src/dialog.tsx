/** The one dialog: what can be done to something, then, where it hurts or wants to know more, a second step. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { type Choice, NOTHING, perform, type Subject, subject } from "./acting";
import { wallTime } from "./format";
import { forbidden } from "./rights";
import { words } from "./words";

export function ActionDialog(): JSX.Element | null {
  const about = subject.value;
  return about === null ? null : <Open key={about.name} about={about} />;
}

function Open({ about }: { about: Subject }): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  const [chosen, choose] = useState<Choice | undefined>(about.chosen);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  const close = (): void => {
    subject.value = null;
  };
  const pick = (choice: Choice): void => {
    if (choice.hurts || choice.parameters) choose(choice);
    else {
      close();
      void perform(about.name, choice, NOTHING);
    }
  };
  const title = chosen === undefined ? words.actions.title(about.name) : words.actions.ask(words.actions.verbs[chosen.verb][0], about.name);
  return (
    <dialog ref={box} onClose={close} aria-labelledby="dialog-title">
      <h2 id="dialog-title">{title}</h2>
      {about.note && <p class="quiet">{about.note}</p>}
      {chosen === undefined ? (
        <Choices about={about} pick={pick} close={close} />
      ) : (
        <Details choice={chosen} name={about.name} close={close} back={about.chosen ? undefined : () => choose(undefined)} />
      )}
    </dialog>
  );
}

function Choices({ about, pick, close }: { about: Subject; pick: (choice: Choice) => void; close: () => void }): JSX.Element {
  return (
    <>
      {about.choices.length === 0 && <p>{words.actions.none}</p>}
      <ul class="choices">
        {about.choices.map((choice) => {
          const [verb, meaning] = words.actions.verbs[choice.verb];
          const why = forbidden(choice.request(NOTHING));
          return (
            <li key={choice.verb}>
              <button type="button" disabled={why !== ""} onClick={() => pick(choice)}>
                <strong>{verb}</strong> <span>{why || meaning}</span>
              </button>
            </li>
          );
        })}
      </ul>
      <p class="buttons">
        <button type="button" onClick={close}>
          {words.actions.cancel}
        </button>
      </p>
    </>
  );
}

/** `NAME=VALUE` lines; the first that is none makes it a text. */
export function readLines(text: string): Record<string, string> | string {
  const found: Record<string, string> = {};
  for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
    const place = line.indexOf("=");
    if (place < 1) return line;
    found[line.slice(0, place).trim()] = line.slice(place + 1);
  }
  return found;
}

interface Wanted {
  choice: Choice;
  name: string;
  close: () => void;
  back: (() => void) | undefined;
}

function Details({ choice, name, close, back }: Wanted): JSX.Element {
  const given = choice.parameters === true ? {} : (choice.parameters ?? {});
  const [lines, setLines] = useState(Object.entries(given).map(([key, value]) => `${key}=${value}`).join("\n"));
  const [message, setMessage] = useState("");
  const [onward, setOnward] = useState(false);
  const [until, setUntil] = useState(choice.until === undefined ? "" : wallTime(choice.until));
  const [fault, setFault] = useState("");
  const [verb, meaning] = words.actions.verbs[choice.verb];
  const why = forbidden(choice.request(NOTHING));
  const submit = (event: Event): void => {
    event.preventDefault();
    const parameters = readLines(lines);
    if (typeof parameters === "string") {
      setFault(words.actions.badLine(parameters));
      return;
    }
    close();
    void perform(name, choice, { parameters, message, onward, until: until === "" ? undefined : new Date(until) });
  };
  return (
    <form onSubmit={submit}>
      {meaning && <p>{meaning}</p>}
      {choice.parameters !== undefined && (
        <label>
          {choice.parameters === true ? words.actions.forThisRun : words.actions.parameters}
          <textarea rows={4} value={lines} spellcheck={false} onInput={(event) => setLines(event.currentTarget.value)} />
        </label>
      )}
      {choice.until !== undefined && (
        <label>
          {words.actions.until}
          <input type="datetime-local" required value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
        </label>
      )}
      {why !== "" && <p class="fault">{why}</p>}
      {fault && <p role="alert">{fault}</p>}
      {choice.message && (
        <label>
          {words.actions.message}
          <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
        </label>
      )}
      {choice.onward && (
        <label class="check">
          <input type="checkbox" checked={onward} onChange={(event) => setOnward(event.currentTarget.checked)} />
          {words.actions.onward}
        </label>
      )}
      <p class="buttons">
        {back && (
          <button type="button" onClick={back}>
            {words.actions.back}
          </button>
        )}
        <button type="button" onClick={close}>
          {words.actions.cancel}
        </button>
        <button type="submit" class="primary" disabled={why !== ""}>
          {verb}
        </button>
      </p>
    </form>
  );
}
