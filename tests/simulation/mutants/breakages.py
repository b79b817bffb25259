"""Each mutant: what it breaks, and how."""

from __future__ import annotations

from msgspec import Struct

from agent_node.core import fires, runs, watches
from broker.mqtt.servers import Servers
from broker.mqtt.tombstones import Tombstones
from broker.runtime import life
from broker.runtime.again import Again
from broker.runtime.doubt import Doubt
from broker.runtime.proof import Proof
from broker.runtime.reconciler import Reconciler
from broker.runtime.shares import Shares
from broker.runtime.view import View
from broker.runtime.whole import Whole
from dashboard_node.core import agents as dashboard_agents
from dashboard_node.core import machine as dashboard_machine
from dashboard_node.core import rebuilding, requests, set_back, windows
from dashboard_node.core import runs as dashboard_runs
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.locks import LockTable
from dashboard_node.core.projection import Projection
from dashboard_node.core.timers import Timers
from schemas.status import JobStatus
from tests.simulation import disk
from tests.simulation.disk import Disk
from tests.simulation.hands import Hands
from tests.simulation.host import Host
from tests.simulation.mutants.dashboard_ways import (
    at_their_turn,
    blame_the_event,
    clear_first,
    decide_again,
    forget_what_was_told,
    grant_everything,
    hand_over_blindly,
    in_order_of_time,
    only_the_newest,
    overlook_holds,
    overlook_holds_of_events,
    release_into_the_past,
    trust_no_journal,
    trust_no_newer_assignment,
)
from tests.simulation.mutants.ways import (
    Break,
    adopt_what_was_cut_off,
    answer_the_first_word,
    any_boot,
    any_journal,
    as_it_is,
    believe_an_old_word,
    both,
    claim_twice,
    count_as_heard,
    doubt_who_stands_alone,
    forget_what_is_gone,
    instead,
    leave_all_standing,
    leave_the_unheard,
    no_journal,
    nothing,
    remove_what_is_absent,
    save_later,
    start_again,
    tell_nobody,
)
from tests.simulation.node import Node


class Mutant(Struct, frozen=True):
    """One place broken."""

    name: str
    breaks: str
    mutate: Break
    seed: int = 0
    """One that notices it, told first."""


MUTANTS = (
    Mutant("shown before saved", "a turn that shows something is not saved", instead(Node, "_save", save_later)),
    Mutant("absence is removal", "what a replay leaves out is gone", instead(View, "end", remove_what_is_absent)),
    Mutant(
        "an old word is believed",
        "what a replay leaves out is gone by a share or presence that is older than it",
        instead(Proof, "gone", believe_an_old_word),
    ),
    Mutant(
        "shares stand still",
        "an agent is not told when something that was for it goes",
        instead(Shares, "went", tell_nobody),
    ),
    Mutant(
        "each server is believed",
        "what one of several servers replays is not proved",
        instead(Servers, "several", lambda _: property(lambda _servers: False)),
        seed=9,
    ),
    Mutant(
        "cleared at once",
        "no tombstone stands where something was cleared on a broker of several servers",
        instead(Tombstones, "instead", lambda _: lambda _stones, publication, _now: publication),
        seed=29,
    ),
    Mutant(
        "one epoch for all lives",
        "the counter of lives stands still",
        instead(Disk, "next_epoch", lambda _: lambda _disk, _floor: 1),
    ),
    Mutant(
        "everything is adopted",
        "what an earlier life published counts as shown, whatever was lost",
        instead(Reconciler, "adopt", leave_all_standing),
    ),
    Mutant(
        "no claim",
        "a wrapper runs its command though another one has claimed it",
        both(instead(Host, "_claim", claim_twice), instead(Hands, "start", start_again)),
    ),
    Mutant(
        "exit codes are forgotten",
        "the code a wrapper left is not read after a restart",
        instead(Hands, "_found", lambda _: lambda hands, run, *_: hands._ended(run, None)),
    ),
    Mutant("taken is ignored", "the agent keeps fires that the dashboard has taken", instead(fires, "taken", nothing)),
    Mutant(
        "fires go on",
        "clocks and files are watched after their instance is gone",
        instead(watches, "removed", nothing),
    ),
    Mutant("locks are ignored", "everybody gets every lock", instead(LockTable, "ask", grant_everything)),
    Mutant(
        "answers are forgotten",
        "a request that is asked again is done again",
        instead(requests, "asked", decide_again),
    ),
    Mutant(
        "dependencies are ignored",
        "every dependency holds",
        instead(ContextMachine, "holds", lambda _: lambda *_: True),
    ),
    Mutant(
        "held jobs start",
        "a hold is forgotten as soon as the dependency holds",
        instead(ContextMachine, "initiate", overlook_holds),
    ),
    Mutant(
        "own windows are ignored",
        "a context's own window never keeps a job from starting",
        instead(ContextMachine, "shut", lambda _: lambda *_: None),
        seed=19,
    ),
    Mutant(
        "missed starts are dropped",
        "only the newest of several due starts is decided",
        instead(windows, "_undecided", only_the_newest),
    ),
    Mutant(
        "holders are named for good",
        "who moves up in the queue of a lock is not shown again, with those who hold it now",
        instead(LockTable, "moved_up", lambda _: lambda *_: ()),
    ),
    Mutant("kills are promised only", "a kill is answered and not asked for", instead(dashboard_runs, "stop", nothing)),
    Mutant("timers are lost", "what was to happen later does not", instead(Timers, "set", nothing)),
    # What the simulation found, as it was.
    Mutant(
        "what is gone comes back",
        "an old store is believed",
        both(instead(View, "_was_gone", lambda _: lambda *_: False), instead(View, "_remove", forget_what_is_gone)),
    ),
    Mutant(
        "any journal",
        "a run handed to a lost journal is started",
        both(instead(runs, "verdict", any_journal), instead(runs, "handed_to", lambda _: lambda *_: True)),
    ),
    Mutant(
        "no journal is this one",
        "a run handed over before its agent was heard of is started before it is dated",
        instead(runs, "handed_to", no_journal),
        seed=9100057,
    ),
    Mutant("any boot", "a claim that a power cut took proves that nothing began", instead(runs, "unclaimed", any_boot)),
    Mutant(
        "locks after the end",
        "a lock goes to a job whose window closes at the same moment",
        instead(dashboard_runs, "release", release_into_the_past),
    ),
    Mutant(
        "ends in order of time",
        "a retry comes before the end of its instance when both are late",
        instead(dashboard_machine, "_due", in_order_of_time),
    ),
    Mutant(
        "time is blamed on people",
        "what was due is audited as a request's doing",
        instead(dashboard_machine, "_time_first", blame_the_event),
    ),
    Mutant(
        "events pass over holds",
        "a global event happens where a person holds it",
        instead(ContextMachine, "happen", overlook_holds_of_events),
    ),
    Mutant(
        "fires of the dead",
        "an agent keeps the fires that an old broker showed it of an instance that is gone",
        instead(watches, "recheck_unpublished", nothing),
    ),
    Mutant(
        "half is whole",
        "a life that ended while it put right what an old broker showed counts as one that had put it right",
        instead(Reconciler, "adopt", adopt_what_was_cut_off),
    ),
    Mutant(
        "a copy is the original",
        "a copy that is put back does not say what it is, and leaves standing what its broker went back to as well",
        instead(disk, "of_a_copy", as_it_is),
        seed=18000157,
    ),
    Mutant(
        "stored is heard",
        "what was never acknowledged, and stands, is not published again",
        instead(Reconciler, "replayed", count_as_heard),
    ),
    Mutant(
        "what is left is heard",
        "what an earlier life published, and nobody may have heard, is not published again",
        instead(Reconciler, "adopt", leave_the_unheard),
        seed=4,
    ),
    Mutant(
        "nothing is shown again",
        "who has met a server that replays an old state asks in vain",
        instead(Again, "ask", nothing),
    ),
    Mutant(
        "again is only said",
        "who is asked to show everything again says its presence again, and nothing else",
        instead(Reconciler, "show_again", nothing),
    ),
    Mutant(
        "the dead are there",
        "a node that died with the broker is never doubted",
        instead(Doubt, "doubted", lambda _: lambda *_: ()),
    ),
    Mutant(
        "the forgotten are there",
        "a node that died with a broker which lost its store is never doubted",
        instead(Doubt, "begin", doubt_who_stands_alone),
    ),
    Mutant(
        "first words are answered",
        "who comes is answered before it listens, and never after",
        instead(Doubt, "heard", answer_the_first_word),
        seed=1,
    ),
    Mutant(
        "parts know better",
        "what changed while all is being shown is not left out of the rest",
        instead(Whole, "changed", nothing),
    ),
    Mutant(
        "statuses come early",
        "what speaks for other documents is shown before them, while all is being shown",
        instead(Projection, "documents", at_their_turn),
    ),
    Mutant(
        "runs without a journal",
        "a run handed over before its agent was heard of is never dated, and is started all the same",
        both(instead(dashboard_agents, "_date_runs", nothing), instead(runs, "handed_to", no_journal)),
    ),
    Mutant(
        "nothing is outranked",
        "a life begins though what stands is of a newer one",
        instead(life, "outrank", nothing),
    ),
    Mutant(
        "queued is not handed over",
        "a rebuilt job that got its lock and has not begun shows WAITING",
        instead(rebuilding, "_UNDER_WAY", lambda known: {JobStatus.RUNNING: known[JobStatus.RUNNING]}),
    ),
    Mutant(
        "only jobs are believed",
        "a rebuilt dashboard overlooks an assignment that is newer than what its job shows",
        instead(rebuilding, "_run", trust_no_newer_assignment),
    ),
    Mutant(
        "cleared before shown",
        "what has ended is cleared before what follows from it is shown",
        instead(Projection, "changed", clear_first),
    ),
    Mutant(
        "no journal is trusted",
        "a run is lost when its agent's report is not there, though its agent remembers it",
        instead(dashboard_agents, "_lose", trust_no_journal),
        seed=8,
    ),
    Mutant(
        "groups are chosen anew",
        "a dashboard from a copy takes no notice of what it had shown since, nor of who has a run",
        both(
            instead(set_back, "take_in", nothing),
            instead(dashboard_runs, "_give", hand_over_blindly),
        ),
    ),
    Mutant(
        "told before",
        "what an agent said of a run before it was handed over (again) is not looked at",
        instead(dashboard_runs, "_give", forget_what_was_told),
    ),
)
