/** The plans: when they start next, how they ended last. */
import type { JSX } from "preact";
import { enabling, preparing, startOf, subject } from "../acting";
import type { PlanStatus, PlanVersion } from "../documents";
import { askOnce } from "../link";
import { Act, Badge, Empty, Table, When } from "../parts";
import { plans } from "../picture";
import { to } from "../route";
import { words } from "../words";
import { filterBy } from "./instances";

/** The plan's own parameters are filled in, where the dashboard can say them. */
async function start(one: PlanStatus): Promise<void> {
  const parameters: Record<string, string> = {};
  try {
    const found = await askOnce<PlanVersion>({ ask: "plan.version", plan: one.plan });
    for (const parameter of found.source?.plan.contextParameters ?? []) parameters[parameter.name] = parameter.defaultValue ?? "";
  } catch {
    // The dialog opens without them: who may start, or why not, is answered then.
  }
  if (subject.value !== null) return; // somebody has gone on to something else, which stays under their hand
  const choice = startOf(one.plan, parameters);
  subject.value = { name: one.plan, choices: [choice], chosen: choice };
}

function Row({ one }: { one: PlanStatus }): JSX.Element {
  const able = one.enabled ? words.plans.disable : words.plans.enable;
  const more = (one.runningCount ?? 0) - (one.running ?? []).length;
  return (
    <tr>
      <td>
        <strong>{one.plan}</strong>
        {one.description && <div class="quiet">{one.description}</div>}
      </td>
      <td>
        <span class={`badge tone-${one.enabled ? "good" : "idle"}`}>{one.enabled ? words.plans.enabled : words.plans.disabled}</span>
      </td>
      <td>
        {one.nextStart ? <When at={one.nextStart} zone={one.zone} /> : <span class="quiet">{words.plans.never}</span>}
        {one.schedule && (
          <div class="quiet">
            <code>{one.schedule}</code> {one.zone}
          </div>
        )}
      </td>
      <td>
        {(one.running ?? []).map((id) => (
          <div key={id}>
            <a href={to("instances", id)}>{id}</a>
          </div>
        ))}
        {more > 0 && <div class="quiet">{words.plans.more(more)}</div>}
      </td>
      <td>
        {one.lastOutcome && (
          <>
            <Badge status={one.lastOutcome.status} /> <When at={one.lastOutcome.ended} zone={one.zone} />
          </>
        )}
      </td>
      <td class="number">{one.jobCount}</td>
      <td class="actions">
        <Act name={one.plan} choice={startOf(one.plan, {})} label={words.plans.start} title={`${words.plans.start} ${one.plan}`} open={() => void start(one)} />
        <Act name={one.plan} choice={enabling(one.plan, !one.enabled)} label={able} title={`${able} ${one.plan}`} />
        {one.schedule && <Act name={one.plan} choice={preparing(one.plan)} label={words.plans.prepare} title={`${words.plans.prepare} ${one.plan}`} />}
        <a href={to("plans", one.plan)} aria-label={`${words.plans.edit} ${one.plan}`}>
          {words.plans.edit}
        </a>
        <a href={to("instances")} aria-label={`${one.plan}: ${words.plans.all}`} onClick={() => filterBy(one.plan)}>
          {words.plans.all}
        </a>
      </td>
    </tr>
  );
}

export function Plans(): JSX.Element {
  const all = plans();
  return (
    <>
      <h1>
        {words.plans.title} <small>{all.length}</small>
      </h1>
      <p class="tools">
        <a href={to("bring")}>{words.plans.bring}</a>
      </p>
      {all.length === 0 ? (
        <Empty>{words.plans.none}</Empty>
      ) : (
        <Table label={words.plans.title} heads={Object.values(words.plans.columns)}>
          {all.map((one) => (
            <Row key={one.plan} one={one} />
          ))}
        </Table>
      )}
    </>
  );
}
