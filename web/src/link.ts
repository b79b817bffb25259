/**
 * The one connection to the broker: logs in, follows topics, asks nodes. It comes back by itself, reads again what is
 * retained, and asks again, under the same id, what was not answered: so that it is done once.
 */
import mqtt, { type ErrorWithReasonCode, type MqttClient } from "mqtt";
import { signal } from "@preact/signals";
import type { Answer } from "./documents";
import { beginReplay, forget, forgetAll, settle, take } from "./picture";
import { BASE, escape } from "./topics";
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
let root = "";
let me = "";
let synced: (() => void) | undefined;
const followed = new Map<string, number>();
const questions = new Map<string, Question>();

function drawn(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function say(state: Link["state"], reason = ""): void {
  const before = link.value;
  link.value = { state, user: me, reason, since: before.state === state ? before.since : new Date() };
}

export async function logIn(user: string, password: string): Promise<void> {
  const facts = (await (await fetch("settings.json", { cache: "no-store" })).json()) as { prefix: string; tunnel: string };
  root = `${facts.prefix}/`;
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
      const socket = new WebSocket(address, protocols);
      unanswered = false;
      socket.addEventListener("open", () => {
        unanswered = new URL(address).host !== location.host;
      });
      return socket;
    },
    ...(user === "" ? {} : { username: user, password }),
  });
  client = here;
  here.on("connect", () => void takeUp(here, clientId));
  here.on("message", (topic, payload) => {
    if (client === here) arrived(topic, payload);
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
  beginReplay();
  const sync = `_sync/${clientId}`;
  const filters = [...BASE, ...followed.keys(), ...[...questions.values()].map((question) => question.answers), sync];
  try {
    await here.subscribeAsync(filters.map((filter) => root + filter), { qos: 1 });
    await replayed(here, sync);
  } catch {
    if (client === here && here.connected) here.reconnect();
    return;
  }
  if (client !== here) return;
  settle();
  say("up");
  for (const question of [...questions.values()]) {
    if (question.next === 0) publish(question);
    else question.fail(new Interrupted());
  }
}

/** Back comes what was sent behind the subscriptions: everything that was retained is in. */
async function replayed(here: MqttClient, sync: string): Promise<void> {
  const back = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(words.link.replay)), REPLAY_PATIENCE);
    synced = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  await here.publishAsync(root + sync, drawn(8), { qos: 1 });
  await back;
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

function arrived(full: string, payload: Uint8Array): void {
  const topic = full.slice(root.length);
  if (topic.startsWith("response/")) answered(topic, payload);
  else if (topic.startsWith("_sync/")) synced?.();
  else take(topic, new TextDecoder().decode(payload));
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
  if (readers === 0 && client?.connected) client.subscribe(root + filter, { qos: 1 });
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
