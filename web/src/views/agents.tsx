/** The agents that were ever here. */
import type { JSX } from "preact";
import { draining } from "../acting";
import { Act, Empty, Table, When } from "../parts";
import { agents, goneSince } from "../picture";
import { escape } from "../topics";
import { words } from "../words";

export function Agents(): JSX.Element {
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
                {goneSince(`agent/${escape(one.node)}/presence`) !== undefined && (
                  <>
                    {" "}
                    {words.agents.goneSince} <When at={goneSince(`agent/${escape(one.node)}/presence`)} zone={one.zone} />
                  </>
                )}
                {one.condition?.draining && <span class="badge tone-warn">{words.agents.draining}</span>}
                {one.condition?.diskFull && <span class="badge tone-bad">{words.agents.full}</span>}
                {one.dryRun && <span class="badge tone-warn">{words.agents.dry}</span>}
              </td>
              <td>
                <When at={one.since} zone={one.zone} />
              </td>
              <td>{one.host}</td>
              <td>{one.zone}</td>
              <td>{one.version}</td>
              <td>{(one.labels ?? []).join(", ")}</td>
              <td class="number">{[one.condition?.running ?? 0, one.capacity].filter((count) => count !== undefined).join(" / ")}</td>
              <td class="number">{one.condition?.load?.toFixed(1)}</td>
              <td class="actions">
                {one.state === "alive" && (
                  <Act
                    name={one.node}
                    choice={draining(one.node, !one.condition?.draining)}
                    label={one.condition?.draining ? words.agents.resume : words.agents.drain}
                    title={`${one.condition?.draining ? words.agents.resume : words.agents.drain} ${one.node}`}
                  />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
