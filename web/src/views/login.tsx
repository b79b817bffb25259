/** Who are you? Name and password go to the broker and nowhere else. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { leave, link, logIn } from "../link";
import { words } from "../words";

const KEPT = "jobplan.user";

export function LogIn(): JSX.Element {
  const [user, setUser] = useState(localStorage.getItem(KEPT) ?? "");
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState("");
  const { state, reason } = link.value;
  const busy = state !== "out";
  const submit = (event: Event): void => {
    event.preventDefault();
    localStorage.setItem(KEPT, user);
    setFault("");
    logIn(user, password).catch(() => setFault(words.login.unreachable));
    setPassword("");
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>{words.name}</h1>
        <p>{words.login.title}</p>
        <label>
          {words.login.user}
          <input name="user" autocomplete="username" value={user} onInput={(event) => setUser(event.currentTarget.value)} />
        </label>
        <label>
          {words.login.password}
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? words.login.busy : words.login.submit}
        </button>
        {busy && (
          <button type="button" onClick={() => leave()}>
            {words.actions.cancel}
          </button>
        )}
        {(fault || reason) && (
          <p role="alert" class="fault">
            {fault || reason}
          </p>
        )}
        <p class="quiet">{words.login.hint}</p>
      </form>
    </main>
  );
}
