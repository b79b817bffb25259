/** The agents that were ever here. */
import type { JSX } from "preact";
import { Empty, Table, When } from "../parts";
import { agents, changes } from "../picture";
import { words } from "../words";

export function Agents(): JSX.Element {
  void changes.value;
  const all = agents();
  const { columns } = words.agents;
  return (
    <>
      <h1>
        {words.agents.title} <small>{all.length}</small>
      </h1>
      {all.length === 0 ? (
        <Empty>{words.agents.none}</Empty>
      ) : (
        <Table label={words.agents.title} heads={Object.values(columns)}>
          {all.map((one) => (
            <tr key={one.node}>
              <td>{one.node}</td>
              <td>
                <span class={`badge tone-${one.state === "alive" ? "good" : "bad"}`}>{words.agents[one.state]}</span>
                {one.dryRun && <span class="badge tone-warn">{words.agents.dry}</span>}
              </td>
              <td>
                <When at={one.since} zone={one.zone} />
              </td>
              <td>{one.host}</td>
              <td>{one.zone}</td>
              <td>{one.version}</td>
              <td>{(one.labels ?? []).join(", ")}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
