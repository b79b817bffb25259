"""A whole installation behind the page: broker with users, dashboard, agents, the page's server; and a browser before it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from broker.access import access_rules, hash_password, read_passwords, write_passwords, write_private
from broker.ports import free_port
from jobplan.demo.folder import DASHBOARD, DemoFolder, agent_file, make_folder
from schemas.names import NodeName, UserName
from tests.e2e.nodes import JOBPLAN, Node, environment
from tests.support.mosquitto import HOST
from tests.support.waiting import until

VIEWER = "viewer"
GUEST = "guest"
"""May ask for whatever an admin grants: at first for nothing."""
VIEWERS_PASSWORD = "may-look"  # noqa: S105  # of a broker that ends with the test
PATIENCE = 20.0
SERVED = "the page is at"
DRAWN = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
"""To be evaluated in a page: what has come is drawn in the next frame."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Where a Chromium is; None: nowhere."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Site:
    """The nodes by name, and where the page is."""

    folder: DemoFolder
    nodes: dict[str, Node]
    address: str

    def do(self, *arguments: str) -> str:
        """Run a command as the operator; what it wrote."""
        command = [*JOBPLAN, *arguments, "--config", str(self.folder.settings_file("jobplan"))]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder.path,
            env=environment(),
        )
        assert done.returncode == 0, f"jobplan {' '.join(arguments)}: {done.returncode}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        """What the nodes have said last."""
        return "\n".join(f"--- {node.name}\n{node.log.read_text()[-1500:]}" for node in self.nodes.values())


def _node(folder: DemoFolder, name: str, settings: str, *arguments: str) -> Node:
    config = ("--config", str(folder.settings_file(settings)))
    return Node(name, (*arguments, *config), folder.log(name))


def _let_look(folder: DemoFolder) -> None:
    """A person who may look and not ask, and one who may ask, but has no role."""
    broker = folder.path / "broker"
    write_passwords(
        broker / "passwords",
        read_passwords(broker / "passwords") | dict.fromkeys((VIEWER, GUEST), hash_password(VIEWERS_PASSWORD)),
    )
    agents = [NodeName(agent) for agent in folder.agents]
    people = [UserName(folder.operator.user), UserName(GUEST)]
    write_private(broker / "rules", access_rules(agents=agents, people=people, viewers=[UserName(VIEWER)]))


@contextmanager
def a_site(where: Path, agents: tuple[str, ...], *, together: bool = False) -> Iterator[Site]:
    """Everything up, with one agent for each name; ended after. ``together``: the dashboard's process serves the page."""
    folder = make_folder(where, agents)
    _let_look(folder)
    port = free_port()
    served = ("--listen", f"{HOST}:{port}")
    page = () if together else ("web",)
    nodes = {
        "broker": _node(folder, "broker", DASHBOARD, "broker"),
        "dashboard": _node(
            folder,
            "dashboard",
            DASHBOARD,
            *("dashboard", "--retention", "3600", "--admin", folder.operator.user),
            *(("--web", *served) if together else ()),
        ),
        **{agent: _node(folder, agent_file(agent), agent_file(agent), "agent", agent) for agent in agents},
        **{name: _node(folder, name, DASHBOARD, name, *served) for name in page},
    }
    site = Site(folder, nodes, f"http://{HOST}:{port}/")
    try:
        for node in nodes.values():
            node.start()
        until(lambda: _is_up(site, agents), within=PATIENCE, what=lambda: f"all nodes are up; {site.logs()}")
        yield site
    finally:
        for node in reversed(nodes.values()):
            node.close()


@contextmanager
def a_server(site: Site, *options: str) -> Iterator[Site]:
    """The same installation behind one more server of the page, with options of its own."""
    port = free_port()
    node = _node(site.folder, f"web-{port}", DASHBOARD, "web", "--listen", f"{HOST}:{port}", *options)
    node.start()
    try:
        until(lambda: SERVED in node.log.read_text(), within=PATIENCE, what=node.log.read_text)
        yield replace(site, address=f"http://{HOST}:{port}/")
    finally:
        node.close()


def _is_up(site: Site, agents: tuple[str, ...]) -> bool:
    rows = json.loads(site.do("agent", "list", "--json") or "[]")
    served = any(SERVED in node.log.read_text() for node in site.nodes.values())
    return served and {row["node"] for row in rows if row["state"] == "alive"} >= set(agents)


@contextmanager
def a_browser(chromium: str) -> Iterator[Browser]:
    """Debian's Chromium without a window; its profile is empty and goes with it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_page(browser: Browser, *, dark: bool = False, width: int = 1280, height: int = 820) -> Iterator[Page]:
    """A page of its own, which may complain of nothing."""
    said: list[str] = []
    context = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": height},
        locale="en-GB",
        timezone_id="Europe/London",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: _note(message, said))
    try:
        yield page
    finally:
        context.close()
    assert said == []


def _note(message: ConsoleMessage, said: list[str]) -> None:
    """Remember what the page complains of; a WebSocket that a broker's restart breaks is none of its faults."""
    if message.type == "error" and "WebSocket" not in message.text:
        said.append(message.text)


def waiting_for(file: Path) -> str:
    """A command that waits for a file, but not for ever: it would outlive a test that fails."""
    return f"n=0; until [ -e {file} ] || [ $((n += 1)) -gt 1200 ]; do sleep 0.1; done"


def log_in(page: Page, site: Site, user: str = "", password: str = "", at: str = "") -> None:
    """Open the page and log in, as the operator unless somebody else is named."""
    page.goto(site.address + at)
    page.get_by_label("User").fill(user or site.folder.operator.user)
    page.get_by_label("Password").fill(password or site.folder.operator.password)
    page.get_by_role("button", name="Log in").click()
