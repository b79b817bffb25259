/** The frame around every view: navigation, how far what is shown can be trusted, and what nodes have answered. */
import { Component, type ComponentChildren, type JSX } from "preact";
import { useEffect } from "preact/hooks";
import { said, unsay } from "./acting";
import { ActionDialog } from "./dialog";
import { browserZone, moment, zone } from "./format";
import { leave, link } from "./link";
import { dashboard, goneSince, plans, unreadable } from "./picture";
import { roleTold } from "./rights";
import { route, to } from "./route";
import { Agents } from "./views/agents";
import { Bring } from "./views/bring";
import { Editor } from "./views/editor";
import { Forecast } from "./views/forecast";
import { Instance } from "./views/instance";
import { Instances } from "./views/instances";
import { Job } from "./views/job";
import { Locks } from "./views/locks";
import { LogIn } from "./views/login";
import { Plans } from "./views/plans";
import { words } from "./words";

export function App(): JSX.Element {
  const here = link.value;
  const inside = here.state !== "out" && (here.state !== "connecting" || here.user !== "");
  const known = dashboard() !== undefined;
  if (here.state === "out" || (here.state === "connecting" && !known) || !inside) return <LogIn />;
  const doubt = whyInDoubt();
  return (
    <>
      <a class="skip" href="#content" onClick={focusContent}>
        {words.skip}
      </a>
      <Header doubtful={doubt !== ""} />
      <main id="content" tabIndex={-1} class={doubt === "" ? "" : "stale"}>
        {doubt !== "" && (
          <p class="doubt" role="status">
            {doubt}
          </p>
        )}
        {unreadable.value > 0 && <p class="doubt">{words.link.unreadable(unreadable.value)}</p>}
        <Boundary key={`${route.value[0] ?? ""} ${zone.value}`}>
          <View />
        </Boundary>
      </main>
      <Answers />
      <ActionDialog />
    </>
  );
}

function focusContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/** Why what is retained may be old; empty: it is current. */
function whyInDoubt(): string {
  const { state, since } = link.value;
  if (state === "lost") return words.link.lostLong(moment(since));
  if (state === "connecting") return words.link.connectingLong;
  const there = dashboard();
  if (there === undefined) return words.link.noDashboard;
  if (there.state === "gone") {
    const since = goneSince("dashboard/presence");
    return since === undefined ? words.link.dashboardWent(moment(there.since)) : words.link.dashboardGone(moment(since));
  }
  return there.complete ? "" : words.link.starting;
}

function Header({ doubtful }: { doubtful: boolean }): JSX.Element {
  const [here = "instances"] = route.value;
  const { state, user } = link.value;
  const pages = ["instances", "plans", "forecast", "agents", "locks"] as const;
  return (
    <header class="top">
      <a class="brand" href={to("instances")}>
        {words.name}
      </a>
      <nav aria-label={words.nav.label}>
        {pages.map((page) => (
          <a key={page} href={to(page)} aria-current={here === page ? "page" : undefined}>
            {words.nav[page]}
          </a>
        ))}
      </nav>
      <Zones />
      <span class={`state ${state === "up" && !doubtful ? "is-up" : "is-doubtful"}`} role="status" data-link={state}>
        {state === "up" ? words.link.up : state === "lost" ? words.link.lost : words.link.connecting}
      </span>
      <span class="user">
        {user} {roleTold() !== "" && <small>({roleTold()})</small>}
      </span>
      <button type="button" onClick={() => leave()}>
        {words.login.out}
      </button>
    </header>
  );
}

/** In which zone times are shown: that of the browser, UTC, or that of a plan. */
function Zones(): JSX.Element {
  const all = new Set(["", "UTC", ...plans().map((one) => one.zone ?? "")]);
  return (
    <select class="zones" aria-label={words.zone} value={zone.value} onChange={(event) => (zone.value = event.currentTarget.value)}>
      {[...all].filter((name) => name !== browserZone).sort().map((name) => (
        <option key={name} value={name}>
          {name || browserZone}
        </option>
      ))}
    </select>
  );
}

function View(): JSX.Element {
  const [page = "instances", id, tab, ...rest] = route.value;
  useEffect(() => {
    document.title = [id ?? page, words.name].join(" - ");
  }, [page, id]);
  if (page === "bring") return <Bring tab={id ?? "form"} />;
  if (page === "plans" && id !== undefined) return <Editor key={id} plan={id} tab={tab ?? "form"} />;
  if (page === "plans") return <Plans />;
  if (page === "forecast") return <Forecast />;
  if (page === "agents") return <Agents />;
  if (page === "locks") return <Locks />;
  if (page === "instances" && id !== undefined) {
    const [context, job] = rest;
    if (tab === "job" && context !== undefined && job !== undefined) {
      return <Job key={`${id}/${context}/${job}`} instance={id} context={context} job={job} />;
    }
    return <Instance key={id} id={id} tab={tab ?? "tree"} />;
  }
  return <Instances />;
}

function Answers(): JSX.Element {
  return (
    <div class="answers" role="region" aria-label={words.answers.label} aria-live="polite">
      {said.value.map((one) => (
        <p key={one.id} class={one.ok ? "ok" : "refused"}>
          <span>{one.text}</span>
          <button type="button" aria-label={words.answers.close} onClick={() => unsay(one.id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}

/** A document that no view expected must not blank the page. */
class Boundary extends Component<{ children: ComponentChildren }, { fault: string }> {
  override state = { fault: "" };

  override componentDidCatch(error: Error): void {
    this.setState({ fault: error.message });
  }

  override render(): ComponentChildren {
    return this.state.fault === "" ? this.props.children : <p role="alert">{this.state.fault}</p>;
  }
}
