/** Times from one to another, which the JSON has as `{"from": to}` in milliseconds since 1970. */
import type { JSX } from "preact";
import { wallTime } from "../../format";
import { words } from "../../words";
import { Typed } from "./typed";

const HOUR = 3_600_000;

interface Wanted {
  value: Record<string, string | number>;
  change: (value: Record<string, number>) => void;
}

export function Ranges({ value, change }: Wanted): JSX.Element {
  const ranges = Object.entries(value).map(([from, to]): [number, number] => [Number(from), Number(to)]);
  const put = (next: [number, number][]): void => change(Object.fromEntries(next));
  const set = (place: number, end: 0 | 1, text: string): void => {
    const at = Date.parse(text);
    if (Number.isNaN(at)) return;
    put(ranges.map((one, index) => (index !== place ? one : end === 0 ? [at, one[1]] : [one[0], at])));
  };
  const add = (): void => {
    const from = Math.max(Math.ceil(Date.now() / HOUR) * HOUR, ...ranges.map(([, to]) => to)) + HOUR;
    put([...ranges, [from, from + HOUR]]);
  };
  return (
    <>
      {ranges.map(([from, to], place) => (
        <span key={place} class="row pair">
          <When label={words.editor.from} at={from} set={(text) => set(place, 0, text)} />
          <When label={words.editor.to} at={to} set={(text) => set(place, 1, text)} />
          <button type="button" aria-label={words.editor.remove(words.editor.range)} onClick={() => put(ranges.filter((_, index) => index !== place))}>
            ×
          </button>
        </span>
      ))}
      <button type="button" onClick={add}>
        {words.editor.addRange}
      </button>
    </>
  );
}

/** A number that is no time is shown as nothing, and said by the dashboard. */
function When({ label, at, set }: { label: string; at: number; set: (text: string) => void }): JSX.Element {
  const date = new Date(at);
  return <Typed type="datetime-local" aria-label={label} value={Number.isNaN(date.getTime()) ? "" : wallTime(date)} take={set} />;
}
