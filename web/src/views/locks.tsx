/** Who holds which lock, and who waits for it. */
import type { JSX } from "preact";
import type { LockClaim } from "../documents";
import { freeing } from "../acting";
import { Act, Empty, Table, When } from "../parts";
import { locks } from "../picture";
import { to } from "../route";
import { words } from "../words";

const [FREE] = words.actions.verbs.freeLock;

function Claims({ claims, lock }: { claims: LockClaim[] | undefined; lock?: string }): JSX.Element {
  if (claims === undefined || claims.length === 0) return <>{words.locks.nobody}</>;
  return (
    <ol class="claims">
      {claims.map((one) => (
        <li key={`${one.instance}/${one.context}/${one.job}`}>
          <a href={to("instances", one.instance, "job", one.context, one.job)}>{one.name ?? one.job}</a> <span class="quiet">{one.instance}</span>
          {(one.weight ?? 1) > 1 && ` ${words.locks.units(one.weight ?? 1)}`} <When at={one.since} />
          {lock !== undefined && (
            <>
              {" "}
              <Act name={`${lock} (${one.name ?? one.job}, ${one.instance})`} choice={freeing(one)} label={`${FREE} …`} title={`${FREE} ${lock}: ${one.name ?? one.job}`} />
            </>
          )}
        </li>
      ))}
    </ol>
  );
}

export function Locks(): JSX.Element {
  const all = locks();
  const { columns } = words.locks;
  return (
    <>
      <h1>
        {words.locks.title} <small>{all.length}</small>
      </h1>
      {all.length === 0 ? (
        <Empty>{words.locks.none}</Empty>
      ) : (
        <Table label={words.locks.title} heads={Object.values(columns)}>
          {all.map((one) => (
            <tr key={`${one.group ?? ""}~${one.lock}`}>
              <td>
                {one.lock} {one.group && <span class="quiet">{one.group}</span>}
              </td>
              <td>{one.exclusive ? words.locks.exclusive : (one.capacity ?? 1)}</td>
              <td>
                <Claims claims={one.holders} lock={one.lock} />
              </td>
              <td>
                <Claims claims={one.queue} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
