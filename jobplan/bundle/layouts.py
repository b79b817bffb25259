"""The ways a plan comes: split or whole context files, one file with its jobs inside, Ikasan's ContextBundle. All become one.

What it gives is the layout of Ikasan's zip with one context file, remembering which part came from where, so that a fault can be
shown where the person wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct, field

from jobplan.bundle.filenames import sanitised
from jobplan.bundle.raw import Documents, Json, JsonObject, kind_of, objects, step, text_of
from schemas.plan import type_of_artefact
from schemas.requests import Fault

FOLDER_OF_TYPE: Final = {
    "quartzScheduleDrivenJob": "quartz",
    "fileEventDrivenJob": "file",
    "internalEventDrivenJob": "internal",
    "globalEventJob": "global",
}
"""The folder ``jobs/<folder>/`` by Ikasan's name of the type."""

KEPT: Final = frozenset({"notification", "notification_details", "profiles", "roles"})
"""Folders whose documents are carried along, and given back by an export."""

_BUNDLE_LISTS: Final = {"contextProfiles": "profiles", "emailNotificationDetails": "notification_details"}
_CONTEXT_KEY: Final = "emailNotificationContext"


class Origin(Struct, frozen=True):
    """That what stands at ``at`` in our document was read in ``file`` at ``path``."""

    at: str
    file: str
    path: str = "$"


class RawJob(Struct):
    """A job as it was written."""

    folder: str
    document: JsonObject
    origin: Origin


class RawBundle(Struct):
    """A plan, its jobs and what goes with them, in one layout."""

    plan: JsonObject = field(default_factory=dict)
    plan_origins: tuple[Origin, ...] = ()
    jobs: list[RawJob] = field(default_factory=list)
    kept: Documents = field(default_factory=dict)
    kept_origins: dict[str, Origin] = field(default_factory=dict)
    """Where kept documents that were no files of their own were read."""
    faults: list[Fault] = field(default_factory=list)

    def wrong(self, path: str, message: str) -> None:
        """Note an error."""
        self.faults.append(Fault(path=path, message=message))

    def ignore(self, path: str, message: str) -> None:
        """Note a warning."""
        self.faults.append(Fault(path=path, message=message, warning=True))


def from_files(documents: Documents) -> RawBundle:
    """Out of the documents of a zip or folder, by their paths."""
    bundle = RawBundle()
    contexts: dict[str, JsonObject] = {}
    for path, document in sorted(documents.items()):
        parts = path.split("/")
        if parts[0] in KEPT:
            bundle.kept[path] = document
        elif not isinstance(document, dict):
            bundle.wrong(f"{path} $", f"{kind_of(document)} where an object belongs")
        elif parts[0] == "context" and len(parts) > 1:
            contexts[path] = document
        elif parts[0] == "jobs" and len(parts) > 2:  # noqa: PLR2004 - jobs, kind, file
            _take_job_file(bundle, parts[1], path, document)
        else:
            bundle.kept[path] = document
            bundle.ignore(path, "no part of a bundle; it is kept, and ignored")
    _take_contexts(bundle, contexts)
    return bundle


def _take_job_file(bundle: RawBundle, folder: str, path: str, document: JsonObject) -> None:
    if folder not in type_of_artefact:
        known = ", ".join(f"'{known}'" for known in type_of_artefact)
        bundle.wrong(path, f"'{folder}' is no kind of job; put the file into one of the folders {known}")
        return
    tag = text_of(document, "type")
    if tag and tag != type_of_artefact[folder]:
        bundle.wrong(f"{path} $.type", f"'{tag}' in the folder of {type_of_artefact[folder]}; move the file")
    bundle.jobs.append(RawJob(folder, document, Origin("$", path)))


def _take_contexts(bundle: RawBundle, files: dict[str, JsonObject]) -> None:
    """The one context file, with the files of its children (``context/<root>/<child>.json`` and so on) put into it."""
    roots = [path for path in files if path.count("/") == 1]
    if not roots:
        bundle.wrong("context/", "no context file; a bundle holds context/PLAN.json")
    if len(roots) > 1:
        bundle.wrong("context/", f"{len(roots)} plans ({', '.join(roots)}); a bundle holds one: export them one by one")
    if len(roots) != 1:
        return
    parents = {path.removesuffix(".json") for path in files}
    for path in files:
        if str(PurePosixPath(path).parent) not in parents | {"context"}:
            bundle.wrong(path, f"a child of {PurePosixPath(path).parent}.json, which is not there; add that file")
    origins: list[Origin] = []
    bundle.plan = _with_children(roots[0], "$", files, origins)
    bundle.plan_origins = tuple(origins)


def _with_children(path: str, at: str, files: dict[str, JsonObject], origins: list[Origin]) -> JsonObject:
    """The context of a file, followed by those of its children in the order of their ``ordinal``."""
    origins.append(Origin(at, path))
    context = files[path]
    folder = path.removesuffix(".json")
    children = [child for child in files if str(PurePosixPath(child).parent) == folder]
    if not children:
        return context
    inside = context.get("contexts")
    merged: list[Json] = [*inside] if isinstance(inside, list) else []
    for child in sorted(children, key=lambda child: _order(files[child], child)):
        merged.append(_with_children(child, step(f"{at}.contexts", len(merged)), files, origins))
    return {**context, "contexts": merged}


def _order(context: JsonObject, path: str) -> tuple[float, str]:
    ordinal = context.get("ordinal")
    return (ordinal if isinstance(ordinal, int | float) else -1, path)


def from_one_file(document: Json, file: str) -> RawBundle:
    """Out of one plan file with its jobs inside, or of a ContextBundle."""
    bundle = RawBundle()
    if not isinstance(document, dict):
        bundle.wrong(f"{file} $", f"{kind_of(document)} where a plan belongs")
    elif "contextTemplate" in document:
        _take_context_bundle(bundle, document, file)
    else:
        beside = {"jobs", _CONTEXT_KEY, *_BUNDLE_LISTS}
        bundle.plan = {key: value for key, value in document.items() if key not in beside}
        bundle.plan_origins = (Origin("$", file),)
        _take_jobs(bundle, document.get("jobs", []), file)
        _take_kept(bundle, document, file)
    if not bundle.faults and not bundle.plan:
        bundle.wrong(f"{file} $", "no plan in it; a plan is an object with 'name', 'scheduledJobs', 'jobs' and so on")
    return bundle


def _take_jobs(bundle: RawBundle, jobs: Json, file: str) -> None:
    """``jobs`` of one file: a list of artefacts, or lists by kind."""
    if isinstance(jobs, list):
        for index, job in enumerate(jobs):
            _take_job(bundle, job, file, f"$.jobs[{index}]", "")
        return
    if not isinstance(jobs, dict):
        bundle.wrong(f"{file} $.jobs", f"{kind_of(jobs)} where a list of jobs belongs")
        return
    for folder, inner in jobs.items():
        path = step("$.jobs", folder)
        if folder not in type_of_artefact:
            bundle.wrong(f"{file} {path}", f"no kind of job; the kinds are {', '.join(type_of_artefact)}")
        elif not isinstance(inner, list):
            bundle.wrong(f"{file} {path}", f"{kind_of(inner)} where a list of jobs belongs")
        else:
            for index, job in enumerate(inner):
                _take_job(bundle, job, file, step(path, index), folder)


def _take_job(bundle: RawBundle, job: Json, file: str, path: str, folder: str) -> None:
    if not isinstance(job, dict):
        bundle.wrong(f"{file} {path}", f"{kind_of(job)} where a job belongs")
        return
    tag = text_of(job, "type")
    if tag and tag not in FOLDER_OF_TYPE:
        bundle.wrong(f"{file} {path}.type", f"'{tag}' is no type of job; the types are {', '.join(FOLDER_OF_TYPE)}")
        return
    if folder and tag and tag != type_of_artefact[folder]:
        bundle.wrong(f"{file} {path}.type", f"'{tag}' among jobs of type {type_of_artefact[folder]}; leave it out")
        return
    folder = folder or folder_of(job)
    if not folder:
        bundle.wrong(f"{file} {path}", "no saying what kind of job it is; add its 'type'")
        return
    bundle.jobs.append(RawJob(folder, job, Origin("$", file, path)))


def folder_of(job: JsonObject) -> str:
    """The kind of a job by its tag, else by its fields; empty when nothing tells."""
    if tag := text_of(job, "type"):
        return FOLDER_OF_TYPE.get(tag, "")
    if job.get("templateJob") is True:
        return "internalTemplate"
    if "commandLine" in job or "templateName" in job:
        return "internal"
    if "filenames" in job:
        return "file"
    if "cronExpression" in job:
        return "quartz"
    return "global" if text_of(job, "agentName") == "GLOBAL_EVENT" else ""


def _take_context_bundle(bundle: RawBundle, document: JsonObject, file: str) -> None:
    """Ikasan's ContextBundle, as its REST interface takes it."""
    plan = document["contextTemplate"]
    if isinstance(plan, dict):
        bundle.plan = plan
    else:
        bundle.wrong(f"{file} $.contextTemplate", f"{kind_of(plan)} where a plan belongs")
    bundle.plan_origins = (Origin("$", file, "$.contextTemplate"),)
    for index, job in enumerate(_listed(document.get("schedulerJobs"))):
        _take_job(bundle, job, file, f"$.schedulerJobs[{index}]", "")
    _take_kept(bundle, document, file)
    if "roles" in document:
        bundle.kept["roles/roles.json"] = document["roles"]
    known = {"contextTemplate", "schedulerJobs", _CONTEXT_KEY, "roles", *_BUNDLE_LISTS}
    for key in document:
        if key not in known:
            bundle.ignore(f"{file} {step('$', key)}", "unknown key, ignored")


def _take_kept(bundle: RawBundle, document: JsonObject, file: str) -> None:
    """Notifications and profiles beside a plan become documents of their own, as in a zip."""
    found = [
        (f"{folder}/{_kept_name(kept, number)}.json", kept, f"$.{key}[{number - 1}]")
        for key, folder in _BUNDLE_LISTS.items()
        for number, kept in enumerate(objects(document.get(key)), 1)
    ]
    context = document.get(_CONTEXT_KEY)
    for number, kept in enumerate(_notifications(context), 1):
        at = f"$.{_CONTEXT_KEY}" + (f"[{number - 1}]" if isinstance(context, list) else "")
        found.append((f"notification/{number}-notification.json", kept, at))
    for path, kept, at in found:
        bundle.kept[path] = kept
        bundle.kept_origins[path] = Origin("$", file, at)


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _notifications(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
    yield from objects(value)


def _kept_name(document: JsonObject, number: int) -> str:
    """A file name for a document that had none: what it is about, and its place in the list."""
    keys = ("profileName", "jobName", "childContextName", "monitorType")
    words = [text_of(document, key) for key in keys if text_of(document, key)]
    return sanitised("-".join([*words, str(number)]))
