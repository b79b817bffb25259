"""The table of what can be found wrong, in what words, and what to do about it. Knows no picture: ``diagnosis.py`` looks."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Grade(StrEnum):
    """How much it matters."""

    WRONG = "wrong"
    """Work is not done as planned until somebody acts."""
    NOTE = "note"
    """On purpose perhaps, and easily forgotten."""


class Finding(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that a person should know."""

    symptom: str
    """Its name in the table, for programs."""
    grade: Grade
    what: str
    """The node, topic, instance or job it is about."""
    detail: str
    advice: str


class Symptom(Struct, frozen=True, kw_only=True):
    """A row of the table; what stands in braces is filled in."""

    name: str
    grade: Grade = Grade.WRONG
    what: str
    detail: str
    advice: str

    def found(self, **facts: object) -> Finding:
        """It is there."""
        return Finding(
            symptom=self.name,
            grade=self.grade,
            what=self.what.format(**facts),
            detail=self.detail.format(**facts),
            advice=self.advice.format(**facts),
        )


_START_DASHBOARD = "start it: jobplan serve dashboard"
_START_AGENT = "start it: jobplan serve agent {agent}"
_AGENT, _PLAN, _INSTANCE, _JOB = "agent {agent}", "plan {plan}", "instance {instance}", "job {instance} {job}"

DASHBOARD_NEVER = Symptom(
    name="dashboard-never",
    what="dashboard",
    detail="there has never been one on this broker",
    advice=_START_DASHBOARD,
)
DASHBOARD_GONE = Symptom(
    name="dashboard-gone", what="dashboard", detail="is gone; connected last at {since}", advice=_START_DASHBOARD
)
AGENT_GONE = Symptom(name="agent-gone", what=_AGENT, detail="is gone; connected last at {since}", advice=_START_AGENT)
SILENT = Symptom(
    name="silent",
    what="{node}",
    detail="says that it is alive, and has not answered within {seconds:g} s",
    advice="is its host up, its process stopped? Its log may say why; else restart it",
)
CLOCK_OFF = Symptom(
    name="clock-off",
    what="{node}",
    detail="its clock is {seconds:.1f} s {how} this host's, give or take {within:.1f} s",
    advice="set the clocks of both by one source: timedatectl, chronyc tracking",
)
CLOCK_HERE = Symptom(
    name="clock-here",
    what="this host",
    detail="its clock is {seconds:.1f} s {how} those of all nodes, which agree",
    advice="set it: timedatectl, chronyc tracking",
)
BROKER_DROPS = Symptom(
    name="broker-drops",
    what="broker",
    detail="has dropped messages since it started; messages: {count}",
    advice="set max_queued_messages 1000000 in its mosquitto.conf and restart it: everybody then reads all of it again",
)
BROKER_LIMIT = Symptom(
    name="broker-limit",
    what="broker setting {setting}",
    detail="is {value}: {why}",
    advice="set {setting} {wanted}, and restart the broker",
)
INCOMPLETE = Symptom(
    name="incomplete",
    what="{node}",
    detail="has not shown all it has yet",
    advice="wait a moment; its log says what keeps it",
)
SET_ASIDE = Symptom(
    name="set-aside",
    what="{node}",
    detail="has set aside what it cannot read; topics: {count}",
    advice="its log names them; clear them, or bring it (version {version}) and who wrote them to the same version",
)
DISK_FULL = Symptom(
    name="disk-full", what=_AGENT, detail="has no space left and starts nothing", advice="free space on {host}"
)
DRAINS = Symptom(
    name="drains",
    grade=Grade.NOTE,
    what=_AGENT,
    detail="drains: it starts no runs",
    advice="jobplan agent undrain {agent}",
)
PRETENDS = Symptom(
    name="pretends",
    grade=Grade.NOTE,
    what=_AGENT,
    detail="only pretends: {which}",
    advice="jobplan agent dry-run {agent} default",
)
NO_AGENT_OF_GROUP = Symptom(
    name="no-agent-of-group",
    what=_PLAN,
    detail="no agent has the label '{label}'",
    advice="start one that has it",
)
AGENT_NEVER = Symptom(
    name="agent-never", what=_PLAN, detail="there has never been an agent '{agent}'", advice=_START_AGENT
)
PLAN_DISABLED = Symptom(
    name="plan-disabled", grade=Grade.NOTE, what=_PLAN, detail="is disabled", advice="jobplan plan enable {plan}"
)
OVERDUE = Symptom(
    name="overdue",
    what=_INSTANCE,
    detail="should have ended at {closes}",
    advice="is the dashboard well? Else: jobplan instance end {instance}",
)
JOB_FAILED = Symptom(
    name="job-failed",
    what=_JOB,
    detail="{how}",
    advice="jobplan job logs {instance} {job}; then resubmit or acknowledge",
)
RUN_LOST = Symptom(
    name="run-lost",
    what=_JOB,
    detail="nobody knows how its run ended: {how}",
    advice="look at what it did; then jobplan job resubmit {instance} {job}, or acknowledge",
)
JOB_UNKNOWN = Symptom(
    name="job-unknown",
    what=_JOB,
    detail="nobody knows how it is: agent {agent} is gone",
    advice="start the agent again",
)
LOCK_LONG = Symptom(
    name="lock-long",
    what="lock {lock}",
    detail="{job} of {instance} has waited since {since}",
    advice="jobplan lock list says who holds it",
)
UNREADABLE = Symptom(
    name="unreadable",
    what="topic {topic}",
    detail="cannot be read: {reason}",
    advice="set aside by all; clear the topic, or bring who wrote it to the same version",
)
ORPHAN = Symptom(
    name="orphan",
    grade=Grade.NOTE,
    what=_INSTANCE,
    detail="{count} topics ({kind}) of an instance that is not there",
    advice="their writer clears them; who is gone does so when it is back",
)

SYMPTOMS = (
    DASHBOARD_NEVER,
    DASHBOARD_GONE,
    AGENT_GONE,
    SILENT,
    CLOCK_OFF,
    CLOCK_HERE,
    BROKER_DROPS,
    BROKER_LIMIT,
    INCOMPLETE,
    SET_ASIDE,
    DISK_FULL,
    DRAINS,
    PRETENDS,
    NO_AGENT_OF_GROUP,
    AGENT_NEVER,
    PLAN_DISABLED,
    OVERDUE,
    JOB_FAILED,
    RUN_LOST,
    JOB_UNKNOWN,
    LOCK_LONG,
    UNREADABLE,
    ORPHAN,
)
"""All there is, in the order of the page."""
