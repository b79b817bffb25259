/**
 * The one connection to the broker: logs in, follows topics, asks nodes. It comes back by itself, reads again what is
 * retained, and asks again, under the same id, what was not answered: so that it is done once.
 */
import mqtt, { type ErrorWithReasonCode, type MqttClient } from "mqtt";
import { signal } from "@preact/signals";
import type { Answer } from "./documents";
import { beginReplay, forget, forgetAll, settle, take } from "./picture";
import { cameBack, drawn, listMoves, replayed } from "./proof";
import { BASE, escape, matches } from "./topics";
import { words } from "./words";

export interface Link {
  state: "out" | "connecting" | "up" | "lost";
  user: string;
  /** Why we are out, or since when the connection is lost. */
  reason: string;
  since: Date;
}

export class Refused extends Error {
  readonly faults: string[];
  constructor(answer: Answer) {
    super(answer.reason ?? words.answers.noReason);
    this.faults = (answer.faults ?? []).map((fault) => `${fault.path}: ${fault.message}`);
  }
}

/** The connection was lost in the middle of an answer. */
export class Interrupted extends Error {}

interface Question {
  topic: string;
  payload: string;
  answers: string;
  /** The part of the answer that comes next; beyond 0, asking again would begin anew. */
  next: number;
  parts: Map<number, Answer>;
  take: (answer: Answer) => void;
  fail: (error: Error) => void;
}

const ASK_AGAIN = 3000;
const PATIENCE = 10_000;
const REPLAY_PATIENCE = 15_000;
const ANONYMOUS = "anonymous";
const REFUSED_PROTOCOL = new Set([1, 132]);

export const link = signal<Link>({ state: "out", user: "", reason: "", since: new Date() });

let client: MqttClient | undefined;
/** Counts connections: what was begun on one does not go on on the next. */
let turn = 0;
let root = "";
let me = "";
/** How many servers the broker has; which of them is next, and how often in a row one's list stood still. */
let servers = 1;
let server = 0;
let still = 0;
const followed = new Map<string, number>();
const questions = new Map<string, Question>();
/** Filters of replays that prove nothing yet. */
const muted = new Set<string>();

function say(state: Link["state"], reason = ""): void {
  const before = link.value;
  link.value = { state, user: me, reason, since: before.state === state ? before.since : new Date() };
}

export async function logIn(user: string, password: string): Promise<void> {
  const facts = (await (await fetch("settings.json", { cache: "no-store" })).json()) as { prefix: string; tunnel: string; servers: number };
  root = `${facts.prefix}/`;
  servers = facts.servers;
  me = user || ANONYMOUS;
  const url = new URL(facts.tunnel, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  connect(url.href, user, password, 5);
}

function connect(url: string, user: string, password: string, version: 4 | 5): void {
  say("connecting");
  const clientId = `web-${drawn(6)}`;
  // A broker's own listener may close on a protocol that it does not speak, instead of saying so (NATS does). Our tunnel closes
  // like that when the broker is away, and a connection that never was says nothing.
  let unanswered = false;
  const here = mqtt.connect(url, {
    clientId,
    clean: true,
    protocolVersion: version,
    keepalive: 20,
    reconnectPeriod: 1000,
    connectTimeout: 10_000,
    resubscribe: false,
    queueQoSZero: false,
    timerVariant: "native",
    createWebsocket: (address, protocols) => {
      const own = new URL(address).host === location.host;
      const socket = new WebSocket(own && servers > 1 ? `${address}?server=${server}` : address, protocols);
      unanswered = false;
      socket.addEventListener("open", () => {
        unanswered = !own;
      });
      return socket;
    },
    ...(user === "" ? {} : { username: user, password }),
  });
  client?.end(true); // who was told twice to log in is here once
  client = here;
  here.on("connect", () => void takeUp(here, clientId));
  here.on("message", (topic, payload, packet) => {
    if (client === here) arrived(topic, payload, packet.retain);
  });
  here.on("packetreceive", () => {
    unanswered = false;
  });
  here.on("close", () => {
    if (client !== here) return;
    if (unanswered && version === 5) {
      here.end(true);
      connect(url, user, password, 4);
      return;
    }
    if (link.value.state === "up") say("lost");
    else if (link.value.state === "connecting") say("connecting", words.link.unreachable);
  });
  here.on("error", (error) => {
    if (client !== here) return;
    const code = (error as ErrorWithReasonCode).code;
    if (typeof code !== "number") return;
    here.end(true);
    if (version === 5 && REFUSED_PROTOCOL.has(code)) connect(url, user, password, 4);
    else leave(code === 4 || code === 5 || code === 134 || code === 135 ? words.login.refused : error.message);
  });
}

/** Read all that is retained, wait until it is in, then ask what is open. */
async function takeUp(here: MqttClient, clientId: string): Promise<void> {
  turn += 1;
  const mine = turn;
  const sync = root + `_sync/${clientId}`;
  const answers = [...questions.values()].map((question) => question.answers);
  const filters = [...BASE, ...followed.keys(), ...answers].map((filter) => root + filter);
  let moves = true;
  try {
    if (proves(here)) moves = await proved(here, filters, sync);
    beginReplay();
    await here.subscribeAsync([...filters, sync], { qos: 1 });
    if (!(await replayed(here, sync, REPLAY_PATIENCE))) throw new Error(words.link.replay);
    if (!moves) await here.publishAsync(root + `_again/${clientId}`, "", { qos: 1 });
  } catch {
    if (client === here && turn === mine && here.connected) here.reconnect();
    return;
  }
  if (client !== here || turn !== mine) return;
  settle(moves);
  say("up");
  for (const question of [...questions.values()]) {
    if (question.next === 0) publish(question);
    else question.fail(new Interrupted());
  }
}

/** Whether a replay has to be proved: not where the broker speaks MQTT 5, and is one server (broker/mqtt/bus.py). */
function proves(here: MqttClient): boolean {
  return servers > 1 || here.options.protocolVersion !== 5;
}

/** Whether what this server replays is all that stands. Fails where that is not so, and another server is worth trying. */
async function proved(here: MqttClient, filters: string[], sync: string): Promise<boolean> {
  const moves = await comesTo(here, filters, sync);
  still = moves ? 0 : still + 1;
  if (moves || still >= servers) return moves;
  server += 1;
  throw new Error(words.link.replay);
}

/** Subscribe, and look whether one of several servers' list moves; what it replays until then proves nothing, and is passed over. */
async function comesTo(here: MqttClient, filters: string[], sync: string): Promise<boolean> {
  filters.forEach((filter) => muted.add(filter));
  try {
    for (const filter of [...filters, sync]) await here.subscribeAsync(filter, { qos: 1 }); // each may have to wait for an election
    return servers === 1 || (await listMoves(here, sync));
  } finally {
    filters.forEach((filter) => muted.delete(filter));
  }
}

export function leave(reason = ""): void {
  const here = client;
  client = undefined;
  here?.end(true);
  for (const question of questions.values()) question.fail(new Error(words.link.left));
  questions.clear();
  followed.clear();
  forgetAll();
  say("out", reason);
}

function arrived(full: string, payload: Uint8Array, retained: boolean): void {
  if (retained && [...muted].some((filter) => matches(filter, full))) return;
  const topic = full.slice(root.length);
  if (topic.startsWith("response/")) answered(topic, payload);
  else if (topic.startsWith("_sync/")) cameBack(new TextDecoder().decode(payload), retained);
  else take(topic, new TextDecoder().decode(payload), retained);
}

function answered(topic: string, payload: Uint8Array): void {
  const [, , id = "", , part = ""] = topic.split("/");
  const question = questions.get(id);
  if (question === undefined) return;
  question.parts.set(Number(part), JSON.parse(new TextDecoder().decode(payload)) as Answer);
  for (let answer = question.parts.get(question.next); answer !== undefined; answer = question.parts.get(question.next)) {
    question.parts.delete(question.next);
    question.next += 1;
    question.take(answer);
  }
}

/** Keep topics up to date while somebody looks; ends with the call of what it returns. */
export function follow(filter: string): () => void {
  const readers = followed.get(filter) ?? 0;
  followed.set(filter, readers + 1);
  if (readers === 0 && client?.connected) void read(client, filter);
  return () => {
    const left = (followed.get(filter) ?? 1) - 1;
    if (left > 0) {
      followed.set(filter, left);
      return;
    }
    followed.delete(filter);
    if (client?.connected) client.unsubscribe(root + filter);
    forget(filter);
  };
}

/** Subscribe to one more filter; where the server's list stands still, have everything shown again. */
async function read(here: MqttClient, filter: string): Promise<void> {
  const clientId = here.options.clientId ?? "";
  try {
    const moves = !proves(here) || (await comesTo(here, [root + filter], `${root}_sync/${clientId}`));
    if (followed.has(filter)) await here.subscribeAsync(root + filter, { qos: 1 });
    if (!moves) await here.publishAsync(`${root}_again/${clientId}`, "", { qos: 1 });
  } catch {
    // The connection is lost: the next one reads all that is followed.
  }
}

function publish(question: Question): void {
  client?.publish(root + question.topic, question.payload, { qos: 1 }, (error) => {
    const code = (error as ErrorWithReasonCode | undefined | null)?.code;
    if (code === 135) question.fail(new Error(words.answers.forbidden));
  });
}

/** Ask the dashboard (or an agent); each part of the answer goes to `take`. The call of what it returns ends it. */
export function ask(
  request: object,
  take: (answer: Answer) => void,
  fail: (error: Error) => void,
  agent?: string,
): () => void {
  const id = drawn(8);
  const own = `${escape(me)}/${id}`;
  const stop = (): void => {
    clearInterval(again);
    clearTimeout(patience);
    const question = questions.get(id);
    questions.delete(id);
    if (question !== undefined && client?.connected) client.unsubscribe(root + question.answers);
  };
  const failed = (error: Error): void => {
    stop();
    fail(error);
  };
  const question: Question = {
    topic: agent === undefined ? `request/${own}` : `agent/${escape(agent)}/request/${own}`,
    payload: JSON.stringify(request),
    answers: `response/${own}/+/+`,
    next: 0,
    parts: new Map(),
    take: (answer) => {
      clearInterval(again);
      clearTimeout(patience);
      if (!answer.ok) failed(new Refused(answer));
      else {
        if (answer.last !== false) stop();
        take(answer);
      }
    },
    fail: failed,
  };
  const again = setInterval(() => {
    if (client?.connected) publish(question);
  }, ASK_AGAIN);
  const patience = setTimeout(() => failed(new Error(words.answers.silent(agent))), PATIENCE);
  questions.set(id, question);
  if (client?.connected) {
    client.subscribe(root + question.answers, { qos: 1 });
    publish(question);
  }
  return stop;
}

/** Ask for one answer; its data. */
export function askOnce<T>(request: object, agent?: string): Promise<T> {
  return new Promise((resolve, reject) => {
    ask(request, (answer) => resolve(answer.data as T), reject, agent);
  });
}
