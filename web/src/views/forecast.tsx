/** What is coming: windows of plans and fires of clock jobs, by day; and the business calendars they look at. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { CalendarSummary, CalendarVersion, Coming, Foretold } from "../documents";
import { clock, dayOf, elsewhere } from "../format";
import { askOnce } from "../link";
import { Empty, Table, When } from "../parts";
import { plans } from "../picture";
import { to } from "../route";
import { words } from "../words";

const SPANS = [1, 7, 31, 92];

function Row({ one }: { one: Coming }): JSX.Element {
  return (
    <tr class={one.what === "skipped" ? "quiet" : ""}>
      <td>
        <time dateTime={one.at} title={elsewhere(one.at, one.zone)}>
          {clock(one.at)}
        </time>
      </td>
      <td>
        <strong>{one.plan}</strong> {one.job && <span>{one.name ?? one.job}</span>}
        {one.instance && (
          <>
            {" "}
            <a class="quiet" href={to("instances", one.instance)}>
              {one.instance}
            </a>
          </>
        )}
      </td>
      <td>
        <span class={`badge tone-${one.what === "opens" ? "good" : one.what === "fires" ? "run" : "idle"}`}>{words.forecast.what[one.what]}</span> {one.note}
      </td>
      <td>{one.closes && <When at={one.closes} zone={one.zone} />}</td>
      <td>
        {one.local} <span class="quiet">{one.zone}</span>
      </td>
    </tr>
  );
}

function Days({ found }: { found: Foretold }): JSX.Element {
  const days = new Map<string, Coming[]>();
  for (const row of found.rows ?? []) days.set(dayOf(row.at), [...(days.get(dayOf(row.at)) ?? []), row]);
  if (days.size === 0) return <Empty>{words.forecast.none}</Empty>;
  return (
    <>
      {[...days].map(([day, rows]) => (
        <section key={day}>
          <h2>{day}</h2>
          <Table label={day} heads={Object.values(words.forecast.columns)}>
            {rows.map((one) => (
              <Row key={`${one.at} ${one.plan} ${one.job ?? ""} ${one.instance ?? ""}`} one={one} />
            ))}
          </Table>
        </section>
      ))}
      {found.more && <p class="doubt">{words.forecast.more}</p>}
    </>
  );
}

export function Forecast(): JSX.Element {
  const [days, setDays] = useState(7);
  const [plan, setPlan] = useState("");
  const [found, setFound] = useState<Foretold>();
  const [fault, setFault] = useState("");
  useEffect(() => {
    let wanted = true;
    setFault("");
    askOnce<Foretold>({ ask: "forecast", days, each: 5, ...(plan === "" ? {} : { plan }) }).then(
      (answer) => wanted && setFound(answer),
      (error: Error) => wanted && setFault(error.message),
    );
    return () => {
      wanted = false;
    };
  }, [days, plan]);
  return (
    <>
      <h1>{words.forecast.title}</h1>
      <div class="tools">
        <label>
          {words.forecast.days}{" "}
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {SPANS.map((count) => (
              <option key={count} value={count}>
                {words.forecast.span(count)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.forecast.plan}{" "}
          <select value={plan} onChange={(event) => setPlan(event.currentTarget.value)}>
            <option value="">{words.forecast.all}</option>
            {plans().map((one) => (
              <option key={one.plan} value={one.plan}>
                {one.plan}
              </option>
            ))}
          </select>
        </label>
      </div>
      {fault !== "" ? <p role="alert">{fault}</p> : found === undefined ? <Empty>{words.audit.loading}</Empty> : <Days found={found} />}
      <Calendars />
    </>
  );
}

function Calendars(): JSX.Element | null {
  const [all, setAll] = useState<CalendarSummary[]>([]);
  useEffect(() => {
    askOnce<{ calendars?: CalendarSummary[] }>({ ask: "calendar.list" }).then(
      (answer) => setAll(answer.calendars ?? []),
      () => setAll([]), // the forecast above says why nobody answers
    );
  }, []);
  return (
    <section>
      <h2>{words.calendars.title}</h2>
      {all.length === 0 ? (
        <p class="quiet">{words.calendars.none}</p>
      ) : (
        all.map((one) => <Calendar key={one.name} one={one} />)
      )}
    </section>
  );
}

function Calendar({ one }: { one: CalendarSummary }): JSX.Element {
  const [days, setDays] = useState<[string, string][]>();
  const [fault, setFault] = useState("");
  const read = (event: { currentTarget: HTMLDetailsElement }): void => {
    if (!event.currentTarget.open || days !== undefined) return;
    askOnce<CalendarVersion>({ ask: "calendar.show", name: one.name }).then(
      (answer) => setDays(Object.entries(answer.days).sort()),
      (error: Error) => setFault(error.message),
    );
  };
  return (
    <details onToggle={read}>
      <summary>
        <strong>{one.name}</strong> <span class="quiet">{words.calendars.summary(one.days, one.first ?? "", one.last ?? "", (one.plans ?? []).join(", "))}</span>
      </summary>
      {fault !== "" && <p role="alert">{fault}</p>}
      <ul class="days">
        {(days ?? []).map(([day, name]) => (
          <li key={day}>
            <time dateTime={day}>{day}</time> {name}
          </li>
        ))}
      </ul>
    </details>
  );
}
