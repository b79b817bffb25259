/** What the person who is logged in may ask for, as the dashboard says it: so that a button says why before it is tried. */
import { computed, effect, signal } from "@preact/signals";
import { askOnce, link } from "./link";
import { at, dashboard, instance } from "./picture";
import { words } from "./words";

type Role = "viewer" | "operator" | "admin";

interface Grant {
  role: Role;
  plans?: string;
}

interface You {
  open?: boolean;
  grants?: Grant[];
  rights?: Record<string, { role: Role; of: "any" | "plan" | "all" }>;
}

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };
const AGAIN = 60_000;

/** Undefined: not known (yet), and nothing is held back; a text: the broker lets this person ask for nothing. */
export const you = signal<You | string | undefined>(undefined);

async function learn(): Promise<void> {
  try {
    you.value = await askOnce<You>({ ask: "user.whoAmI" });
  } catch (error) {
    you.value = (error as Error).message === words.answers.forbidden ? words.answers.forbidden : undefined;
  }
}

/** Which life and connection of the dashboard there is to ask; empty: none. */
const there = computed(() => {
  const it = dashboard();
  return it?.state === "alive" ? `${it.epoch} ${it.connection}` : "";
});

let timer = 0;
effect(() => {
  const { state } = link.value;
  const answers = there.value !== "";
  clearInterval(timer);
  if (state === "out") you.value = undefined;
  if (state !== "up") return;
  void learn();
  timer = window.setInterval(() => void (answers && learn()), AGAIN);
});

/** Asked again as soon as anything is granted or taken back. */
let known = 0;
effect(() => {
  const revision = at("dashboard/grants")?.revision ?? 0;
  if (revision === known) return;
  known = revision;
  if (link.peek().state === "up") void learn();
});

/** `*` stands for any letters, `?` for one, all else for itself. */
function fits(pattern: string, plan: string): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "s").test(plan);
}

interface Asked {
  ask?: string;
  plan?: string;
  instance?: string;
  source?: { plan?: { name?: string } };
}

/** Why a request would be refused; empty: as far as the page knows, it would not. */
export function forbidden(request: object): string {
  const me = you.value;
  if (typeof me === "string") return me;
  if (me === undefined || me.open) return "";
  const { ask = "", plan, instance: id, source } = request as Asked;
  const right = me.rights?.[ask];
  const grants = me.grants ?? [];
  if (right === undefined || (right.of === "any" && grants.length > 0)) return "";
  const whose = plan ?? source?.plan?.name ?? (id === undefined ? "" : (instance(id)?.plan ?? ""));
  const has = grants.some(({ role, plans = "*" }) => RANK[role] >= RANK[right.role] && (right.of === "all" ? plans === "*" : right.of === "any" || fits(plans, whose)));
  return has ? "" : words.rights.needs(right.role, right.of === "plan" ? whose : right.of === "all" ? "*" : "", toldGrants(grants));
}

const toldGrants = (grants: Grant[]): string => grants.map(({ role, plans = "*" }) => words.rights.grant(role, plans)).join(", ") || words.rights.nothing;

/** The roles of this person in words; empty: everybody may do everything, or it is not known. */
export function roleTold(): string {
  const me = you.value;
  if (typeof me === "string") return words.rights.looks;
  return me === undefined || me.open ? "" : toldGrants(me.grants ?? []);
}
