/** The parameters of an instance; a change holds for the runs that are still to come. */
import type { JSX } from "preact";
import { changing, subject } from "../acting";
import type { InstanceStatus } from "../documents";
import { Act, Empty, Table } from "../parts";
import { words } from "../words";

export function Parameters({ one }: { one: InstanceStatus }): JSX.Element {
  const rows = Object.entries(one.parameters ?? {});
  if (rows.length === 0) return <Empty>{words.parameters.none}</Empty>;
  const change = (name: string, value: string): void => {
    const choice = changing(one.instance, name, value);
    subject.value = { name, note: words.parameters.hint, choices: [choice], chosen: choice };
  };
  const open = one.status !== "ENDED";
  const heads = [words.parameters.name, words.parameters.value, ...(open ? [words.instance.columns.actions] : [])];
  return (
    <Table label={words.instance.tabs.parameters} heads={heads}>
      {rows.map(([name, value]) => (
        <tr key={name}>
          <td>{name}</td>
          <td>
            <code>{value}</code>
          </td>
          {open && (
            <td class="actions">
              <Act name={name} choice={changing(one.instance, name, value)} label={words.parameters.change} title={words.parameters.title(name)} open={() => change(name, value)} />
            </td>
          )}
        </tr>
      ))}
    </Table>
  );
}
