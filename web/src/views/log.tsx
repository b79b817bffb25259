/** What a run wrote, read from its agent, and what it goes on to write. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { LogPart } from "../documents";
import { size } from "../format";
import { ask, Interrupted, link } from "../link";
import { words } from "../words";

const TAIL = 262_144;
/** So much is kept on the page; what came before is left out. */
const MOST = 2_097_152;
const AGAIN = 1000;

interface Shown {
  text: string;
  from: number;
  ended: boolean;
  fault: string;
}

const NOTHING: Shown = { text: "", from: 0, ended: false, fault: "" };

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function useLog(run: string, agent: string, errors: boolean): Shown {
  const [shown, show] = useState(NOTHING);
  useEffect(() => {
    let offset = -TAIL;
    let stop = (): void => undefined;
    let timer = 0;
    const decoder = new TextDecoder();
    show(NOTHING);
    const begin = (): void => {
      stop = ask({ ask: "log.read", run, errors, offset, follow: true }, (answer) => take(answer.data as LogPart | null, answer.last !== false), fail, agent);
    };
    const take = (part: LogPart | null, last: boolean): void => {
      if (part === null) return;
      const bytes = bytesOf(part.content);
      const text = decoder.decode(bytes, { stream: true });
      const first = offset < 0;
      offset = part.offset + bytes.length;
      show((before) => {
        const whole = before.text + text;
        return {
          text: whole.slice(-MOST),
          from: (first ? part.offset : before.from) + Math.max(0, whole.length - MOST),
          ended: part.ended,
          fault: "",
        };
      });
      if (last && !part.ended) timer = window.setTimeout(begin, AGAIN);
    };
    const fail = (error: Error): void => {
      if (error instanceof Interrupted) begin();
      else show((before) => ({ ...before, fault: error.message }));
    };
    begin();
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [run, agent, errors]);
  return shown;
}

export function Log({ run, agent, attempts }: { run: string; agent: string; attempts: number }): JSX.Element {
  const [errors, setErrors] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const base = run.slice(0, run.lastIndexOf("~"));
  const newest = Number(run.slice(run.lastIndexOf("~") + 1));
  const chosen = attempt === 0 ? newest : attempt;
  return (
    <>
      <div class="tools">
        <label>
          {words.job.stream}{" "}
          <select value={errors ? "errors" : "output"} onChange={(event) => setErrors(event.currentTarget.value === "errors")}>
            <option value="output">{words.job.output}</option>
            <option value="errors">{words.job.errors}</option>
          </select>
        </label>
        {attempts > 1 && (
          <label>
            {words.job.attempt}{" "}
            <select value={String(chosen)} onChange={(event) => setAttempt(Number(event.currentTarget.value))}>
              {Array.from({ length: newest }, (_, place) => newest - place).map((one) => (
                <option key={one} value={String(one)}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <Text key={`${chosen} ${errors}`} run={`${base}~${chosen}`} agent={agent} errors={errors} />
    </>
  );
}

function Text({ run, agent, errors }: { run: string; agent: string; errors: boolean }): JSX.Element {
  const { text, from, ended, fault } = useLog(run, agent, errors);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current !== null && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  const scrolled = (): void => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {};
    atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
  };
  const state = ended ? words.job.ended : link.value.state === "up" ? words.job.following : words.link.lost;
  return (
    <>
      {from > 0 && <p class="quiet">{words.job.earlier(size(from))}</p>}
      <pre class="log" ref={box} tabIndex={0} role="log" aria-label={words.job.log} onScroll={scrolled} data-ended={ended}>
        {text || (ended ? words.job.empty : words.job.nothingYet)}
      </pre>
      {fault === "" ? <p class="quiet">{state}</p> : <p role="alert">{fault}</p>}
    </>
  );
}
