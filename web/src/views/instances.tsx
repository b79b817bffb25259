/** All instances: what is not over first. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import type { InstanceStatus } from "../documents";
import { estimates, useEstimates } from "../estimates";
import { lived, moment } from "../format";
import { Badge, Empty, Progress, Table, When } from "../parts";
import { instances } from "../picture";
import { to } from "../route";
import { words } from "../words";

type Kept = "all" | "active" | "failed" | "ended";

const text = signal("");
const kept = signal<Kept>("all");

const KEEPS: Record<Kept, (one: InstanceStatus) => boolean> = {
  all: () => true,
  active: (one) => one.status !== "ENDED",
  failed: (one) => one.status === "ERROR" || one.result === "ERROR" || (one.counts?.ERROR ?? 0) + (one.counts?.KILLED ?? 0) > 0,
  ended: (one) => one.status === "ENDED",
};

function says(one: InstanceStatus, wanted: string): boolean {
  const all = [one.plan, one.instance, one.startedBy ?? "", ...Object.values(one.parameters ?? {})];
  return all.some((part) => part.toLowerCase().includes(wanted));
}

export const filterBy = (plan: string): void => {
  text.value = plan;
  kept.value = "all";
};

export function Instances(): JSX.Element {
  const all = instances();
  const wanted = text.value.trim().toLowerCase();
  const shown = all.filter((one) => KEEPS[kept.value](one) && (wanted === "" || says(one, wanted)));
  useEstimates(shown);
  const { columns } = words.instances;
  return (
    <>
      <h1>
        {words.instances.title} <small>{words.instances.count(shown.length, all.length)}</small>
      </h1>
      <div class="tools">
        <label>
          {words.instances.filter}{" "}
          <input type="search" value={text.value} placeholder={words.instances.placeholder} onInput={(event) => (text.value = event.currentTarget.value)} />
        </label>
        <label>
          {words.instances.state}{" "}
          <select value={kept.value} onChange={(event) => (kept.value = event.currentTarget.value as Kept)}>
            {(["all", "active", "failed", "ended"] as const).map((one) => (
              <option key={one} value={one}>
                {words.instances[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {shown.length === 0 ? (
        <Empty>{all.length === 0 ? words.instances.none : words.instances.noMatch}</Empty>
      ) : (
        <Table label={words.instances.title} heads={Object.values(columns)}>
          {shown.map((one) => (
            <tr key={one.instance}>
              <td>
                <Badge status={one.status} />
              </td>
              <td>{one.plan}</td>
              <td>
                <a href={to("instances", one.instance)}>{one.instance}</a>
              </td>
              <td>
                <When at={one.opens} />
              </td>
              <td class="number">{lived(one)}</td>
              <td class="number quiet">{one.status !== "ENDED" && estimates.value.get(one.instance)?.ends !== undefined && `≈ ${moment(estimates.value.get(one.instance)?.ends)}`}</td>
              <td>
                <Progress one={one} />
              </td>
              <td>{one.startedBy}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
