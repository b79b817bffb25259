/** What changed in an instance, why, and who asked: the newest first. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { AuditEntry } from "../documents";
import { askOnce } from "../link";
import { Empty, Table, When } from "../parts";
import { spoken, words } from "../words";

interface Page {
  rows?: AuditEntry[];
  more?: boolean;
}

export function Audit({ instance }: { instance: string }): JSX.Element {
  const [rows, setRows] = useState<AuditEntry[]>([]);
  const [state, setState] = useState<"busy" | "more" | "end">("busy");
  const [fault, setFault] = useState("");
  const read = async (before: number, known: AuditEntry[]): Promise<void> => {
    setState("busy");
    try {
      const page = await askOnce<Page>({ ask: "audit.read", instance, before, limit: 200 });
      setRows([...known, ...(page.rows ?? [])]);
      setState(page.more ? "more" : "end");
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  useEffect(() => void read(0, []), [instance]);
  if (fault !== "") return <p role="alert">{fault}</p>;
  if (rows.length === 0) return <Empty>{state === "busy" ? words.audit.loading : words.audit.none}</Empty>;
  return (
    <>
      <Table label={words.instance.tabs.audit} heads={Object.values(words.audit.columns)}>
        {rows.map((row) => (
          <tr key={row.number}>
            <td>
              <When at={row.at} />
            </td>
            <td>
              {row.kind} {[row.context, row.job].filter(Boolean).join(" / ") || row.run?.replace(`${instance}~`, "")}
            </td>
            <td>
              {[row.before, row.after].filter(Boolean).map(spokenIfStatus).join(" → ")} {row.detail}
            </td>
            <td>{row.cause?.replaceAll(`${instance}~`, "")}</td>
            <td>{row.user}</td>
          </tr>
        ))}
      </Table>
      {state === "more" && (
        <p class="buttons">
          <button type="button" onClick={() => void read(rows.at(-1)?.number ?? 0, rows)}>
            {words.audit.more}
          </button>
        </p>
      )}
    </>
  );
}

const spokenIfStatus = (text: string | undefined): string => (text !== undefined && /^[A-Z_]+$/.test(text) ? spoken(text) : (text ?? ""));
