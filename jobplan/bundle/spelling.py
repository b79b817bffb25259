"""One spelling for what may be written in several: shorthand of Ikasan's documents, jobs inline in a plan, identifiers.

Changes raw documents only where they say the same in fewer words; what is wrong in them stays, for the checks to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import inspect

from jobplan.bundle.layouts import Origin, RawBundle, RawJob, folder_of
from jobplan.bundle.raw import Json, JsonObject, objects, step, text_of
from schemas.names import job_id
from schemas.plan import ClockJob, CommandJob, FileJob, ScheduledJob
from schemas.requests import Fault


def _keys(cls: type[ClockJob | CommandJob | FileJob | ScheduledJob]) -> frozenset[str]:
    info = inspect.type_info(cls)
    return (
        frozenset(known.encode_name for known in info.fields) if isinstance(info, inspect.StructType) else frozenset()
    )


_OF_ARTEFACTS: Final = (_keys(FileJob) | _keys(CommandJob) | {"type"}) - _keys(ScheduledJob)
"""What only an artefact has: a job of the plan with one of these is written inline."""


def spell_out(bundle: RawBundle, *, one_file: bool) -> None:
    """Bring plan and jobs into the one spelling, in place. ``one_file``: there are no job files that could hold the jobs."""
    known = {identifier(job.document) for job in bundle.jobs}
    inline = _Inline(bundle, known, one_file=one_file)
    bundle.plan = _context(bundle.plan, "$", inline)
    for job in bundle.jobs:
        document = {key: value for key, value in job.document.items() if key != "type"}
        job.document = _identified(document, bundle, job.origin)


def identifier(job: Mapping[str, Json]) -> str:
    """The identifier of a raw job."""
    return job_id(text_of(job, "agentName"), text_of(job, "jobName"))


class _Inline:
    """Takes the jobs out of a plan whose entries are the jobs themselves."""

    def __init__(self, bundle: RawBundle, known: set[str], *, one_file: bool) -> None:
        self.bundle = bundle
        self._known = known
        self._one_file = one_file
        self._taken: dict[str, JsonObject] = {}

    def entry(self, entry: JsonObject, at: str) -> JsonObject:
        """The entry alone; its artefact goes to the bundle's jobs."""
        job = identifier(entry)
        own = [key for key in entry if key in _OF_ARTEFACTS]
        is_event = self._one_file and text_of(entry, "agentName") == "GLOBAL_EVENT"
        if job not in self._known and (own or (is_event and job not in self._taken)):
            self._take(job, entry, at)
        origin = self._origin(at)
        return _identified({key: v for key, v in entry.items() if key not in _OF_ARTEFACTS}, self.bundle, origin)

    def _take(self, job: str, entry: JsonObject, at: str) -> None:
        first = self._taken.get(job)
        origin = self._origin(at)
        folder = folder_of(entry)
        if first is not None:
            if {k: v for k, v in entry.items() if k in _OF_ARTEFACTS} != {
                k: v for k, v in first.items() if k in _OF_ARTEFACTS
            }:
                self.bundle.wrong(f"{origin.file} {origin.path}", f"the job '{job}' is described twice, differently")
        elif not folder:
            self.bundle.wrong(f"{origin.file} {origin.path}", "no saying what kind of job it is; add its 'type'")
        else:
            self._taken[job] = entry
            self.bundle.jobs.append(RawJob(folder, entry, origin))

    def _origin(self, at: str) -> Origin:
        return located(self.bundle.plan_origins, "", at)


def located(origins: tuple[Origin, ...], file: str, path: str) -> Origin:
    """Where what stands at a JSON path of a document of ours was read."""
    best = max((o for o in origins if _is_inside(path, o.at)), key=lambda o: len(o.at), default=None)
    if best is None:
        return Origin(path, file, path)
    return Origin(path, best.file, best.path + path.removeprefix(best.at))


def _is_inside(path: str, at: str) -> bool:
    return path.startswith(at) and path[len(at) : len(at) + 1] in {"", ".", "["}


def _identified(document: JsonObject, bundle: RawBundle, origin: Origin) -> JsonObject:
    """The job with its derived identifier; one that says otherwise is wrong, and ignored."""
    if not text_of(document, "jobName") or not text_of(document, "agentName"):
        return document
    derived = identifier(document)
    if (written := text_of(document, "identifier")) and written != derived:
        message = f"'{written}' is ignored: a job's identifier is agentName-jobName, here '{derived}'"
        bundle.faults.append(Fault(path=f"{origin.file} {origin.path}.identifier", message=message, warning=True))
    return document | {"identifier": derived}


def _context(context: JsonObject, at: str, inline: _Inline) -> JsonObject:
    """A context and all below it, spelled out."""
    entries = context.get("scheduledJobs")
    names: dict[str, list[str]] = {}
    for entry in objects(entries):
        names.setdefault(text_of(entry, "jobName"), []).append(identifier(entry))
    spelled = dict(context)
    if isinstance(entries, list):
        spelled["scheduledJobs"] = _each(entries, f"{at}.scheduledJobs", inline)
    if isinstance(found := context.get("jobDependencies"), list):
        spelled["jobDependencies"] = [_dependency(entry, "jobIdentifier", names) for entry in found]
    if isinstance(found := context.get("contextDependencies"), list):
        spelled["contextDependencies"] = [_dependency(entry, "contextIdentifier", {}) for entry in found]
    if isinstance(found := context.get("jobLocks"), list):
        spelled["jobLocks"] = [_lock(lock) for lock in found]
    if isinstance(children := context.get("contexts"), list):
        spelled["contexts"] = [
            _context(child, step(f"{at}.contexts", index), inline) if isinstance(child, dict) else child
            for index, child in enumerate(children)
        ]
    return spelled


def _each(entries: list[Json], at: str, inline: _Inline) -> list[Json]:
    return [
        inline.entry(entry, step(at, index)) if isinstance(entry, dict) else entry
        for index, entry in enumerate(entries)
    ]


def _dependency(entry: Json, key: str, names: Mapping[str, list[str]]) -> Json:
    """A dependency; a bare text is one without a grouping, ``job`` may stand for the key."""
    if isinstance(entry, str):
        return {key: _meant(entry, names)}
    if not isinstance(entry, dict):
        return entry
    spelled = _renamed(entry, key, names)
    if "logicalGrouping" in spelled:
        spelled["logicalGrouping"] = _grouping(spelled["logicalGrouping"], names)
    return spelled


def _grouping(grouping: Json, names: Mapping[str, list[str]]) -> Json:
    if not isinstance(grouping, dict):
        return grouping
    spelled = dict(grouping)
    for key in ("and", "or", "not"):
        if isinstance(terms := grouping.get(key), list):
            spelled[key] = [_operator(term, names) for term in terms]
    if "logicalGrouping" in grouping:
        spelled["logicalGrouping"] = _grouping(grouping["logicalGrouping"], names)
    return spelled


def _operator(term: Json, names: Mapping[str, list[str]]) -> Json:
    if isinstance(term, str):
        return {"identifier": _meant(term, names)}
    return _dependency(term, "identifier", names)


def _renamed(entry: JsonObject, key: str, names: Mapping[str, list[str]]) -> JsonObject:
    job = entry.get("job")
    if key in entry or not isinstance(job, str):
        return dict(entry)
    return {key: _meant(job, names)} | {other: value for other, value in entry.items() if other != "job"}


def _meant(text: str, names: Mapping[str, list[str]]) -> str:
    """The identifier that shorthand means: itself, or that of the only job of the context with this name."""
    jobs = names.get(text, [])
    return jobs[0] if len(jobs) == 1 and text not in {i for found in names.values() for i in found} else text


def _lock(lock: Json) -> Json:
    """A lock with its participants' identifiers derived."""
    if not isinstance(lock, dict) or not isinstance(jobs := lock.get("jobs"), dict):
        return lock
    spelled: JsonObject = {
        context: [_participant(job) for job in listed] if isinstance(listed, list) else listed
        for context, listed in jobs.items()
    }
    return {**lock, "jobs": spelled}


def _participant(job: Json) -> Json:
    if isinstance(job, dict) and text_of(job, "agentName") and text_of(job, "jobName"):
        return job | {"identifier": identifier(job)}
    return job
