/** How one JSON value differs from another: one entry a place, the shallowest that tells it. */

export interface Difference {
  /** Such as `$.plan.contexts[0].name`; members of lists that have a name are found by it. */
  path: string;
  before?: string;
  after?: string;
}

type Member = Record<string, unknown>;

const NAMES = ["jobName", "name", "identifier", "jobIdentifier", "contextIdentifier"];

export function differences(before: unknown, after: unknown, path = "$"): Difference[] {
  if (isMember(before) && isMember(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], `${path}.${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, fresh] = [byName(before), byName(after)];
    return [...new Set([...old.keys(), ...fresh.keys()])].flatMap((key) => differences(old.get(key), fresh.get(key), `${path}[${key}]`));
  }
  const [old, fresh] = [written(before), written(after)];
  if (old === fresh) return [];
  return [{ path, ...(old === undefined ? {} : { before: old }), ...(fresh === undefined ? {} : { after: fresh }) }];
}

const isMember = (value: unknown): value is Member => typeof value === "object" && value !== null && !Array.isArray(value);

/** Members that are named by their names, so that one put in front does not change all behind it. */
function byName(list: unknown[]): Map<string, unknown> {
  const found = new Map<string, unknown>();
  list.forEach((one, place) => {
    const key = isMember(one) ? NAMES.map((name) => one[name]).find((name) => typeof name === "string") : undefined;
    const wanted = (key as string | undefined) ?? String(place);
    found.set(found.has(wanted) ? `${wanted} ${place}` : wanted, one);
  });
  return found;
}

function written(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)} …` : text;
}
