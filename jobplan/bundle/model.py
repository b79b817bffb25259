"""A bundle as it is worked with: the typed plan beside the documents it was read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from dashboard_node.core import plan_rules
from jobplan.bundle.errors import BundleError
from jobplan.bundle.filenames import kept_apart, sanitised
from jobplan.bundle.layouts import Origin, RawBundle, RawJob, from_files
from jobplan.bundle.raw import BadJsonError, Documents, Json, JsonObject, encode, kind_of, parse, plain, text_of
from jobplan.bundle.shapes import fit
from jobplan.bundle.spelling import identifier, located, spell_out
from schemas.notifications import NotificationContext, NotificationDetails
from schemas.plan import Artefact, ClockJob, CommandJob, FileJob, GlobalJob, Plan, PlanSource, type_of_artefact
from schemas.requests import Fault

S = TypeVar("S", bound=Struct)

_VERSION: Final = 1
_CLASSES: Final[dict[str, type[ClockJob | FileJob | CommandJob | GlobalJob]]] = {
    "file": FileJob,
    "internal": CommandJob,
    "internalTemplate": CommandJob,
    "quartz": ClockJob,
    "global": GlobalJob,
}
_NOT_FROM_A_TEMPLATE: Final = frozenset(
    {"jobName", "identifier", "templateJob", "templateBased", "templateName", "childContextNames", "contextName"}
)


class Bundle(Struct, frozen=True, kw_only=True):
    """A plan with everything that was exported with it."""

    source: PlanSource
    documents: Documents
    """As they were written, in Ikasan's layout with one context file: unknown keys, notifications and profiles included."""
    ignored: tuple[Fault, ...] = ()
    """Warnings of the reading: unknown keys, identifiers that say something else, tokens nobody asked for."""
    origins: dict[str, tuple[Origin, ...]] = {}
    """By path of ours: where the document, or a part of it, was read."""

    @property
    def raw(self) -> bytes:
        """Everything as one JSON document; ``from_raw`` gives the bundle back."""
        return encode({"jobplanBundle": _VERSION, "documents": self.documents})

    @staticmethod
    def from_raw(raw: bytes) -> Bundle:
        """The bundle of a document that ``raw`` gave. Raises BundleError."""
        try:
            document, _ = parse(raw, "bundle")
        except BadJsonError as error:
            raise BundleError([error.fault]) from error
        documents = raw_documents(document)
        if documents is None:
            raise BundleError([Fault(path="bundle $", message="no stored bundle; import the plan again")])
        return build(from_files(documents), one_file=False)

    @staticmethod
    def from_source(source: PlanSource) -> Bundle:
        """The bundle of a plan that never was one. Raises BundleError when the plan cannot be read back."""
        raw = RawBundle(plan=_object(plain(source.plan)))
        folders = {tag: folder for folder, tag in reversed(type_of_artefact.items())}
        for job in source.jobs:
            document = _object(plain(job))
            folder = folders[text_of(document, "type")]
            raw.jobs.append(RawJob(folder, document, Origin("$", f"jobs/{folder}/{job.job_name}")))
        for number, context in enumerate(source.notifications, 1):
            raw.kept[f"notification/{number:06}-notification.json"] = plain(context)
        for number, details in enumerate(source.notification_details, 1):
            raw.kept[f"notification_details/{number:06}-{sanitised(details.job_name)}.json"] = plain(details)
        return build(raw, one_file=False)

    def located(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """Faults of the plan rules, told at the file and the JSON path where the person wrote it."""
        plan = next(path for path in self.documents if path.startswith("context/"))
        files: dict[str, str] = {}
        for path, document in self.documents.items():
            if path.startswith("jobs/"):
                # Two jobs of one name, on two agents, cannot be told apart by it: better no file than the wrong one.
                job = f"jobs/{path.split('/')[1]}/{text_of(_object(document), 'jobName')}"
                files[job] = "" if job in files else path
        for folder in ("notification", "notification_details"):
            paths = [path for path in self.documents if path.startswith(f"{folder}/")]
            files |= {f"{folder}/{number}": path for number, path in enumerate(paths)}
        return tuple(msgspec.structs.replace(fault, path=self._located(fault.path, plan, files)) for fault in faults)

    def _located(self, path: str, plan: str, files: dict[str, str]) -> str:
        if path.startswith("$"):
            return _told(self.origins.get(plan, ()), plan, path)
        job, blank, inside = path.rpartition(" $")
        if not blank or path in files:
            job, inside = path, ""
        file = files.get(job) or files.get(job.replace("jobs/internal/", "jobs/internalTemplate/", 1))
        return _told(self.origins.get(file, ()), file, f"${inside}") if file else path


def _told(origins: tuple[Origin, ...], file: str, path: str) -> str:
    origin = located(origins, file, path)
    return f"{origin.file} {origin.path}"


def raw_documents(document: Json) -> Documents | None:
    """The documents in a stored bundle; None when it is something else, or could not be exported again."""
    if not isinstance(document, dict) or document.get("jobplanBundle") != _VERSION:
        return None
    documents = document.get("documents")
    if not isinstance(documents, dict) or not all(_is_path(path) for path in documents):
        return None
    return documents


def _is_path(path: str) -> bool:
    """Whether a document's path stays below the bundle's directory."""
    return "\\" not in path and "\x00" not in path and {"", ".", ".."}.isdisjoint(path.split("/"))


def build(raw: RawBundle, *, one_file: bool) -> Bundle:
    """The typed bundle of a raw one. Raises BundleError with everything that is wrong."""
    _stop(raw.faults)
    spell_out(raw, one_file=one_file)
    documents, origins, jobs = _layout(raw)
    typed = _Typed(raw, origins)
    plan = typed.plan()
    artefacts = typed.artefacts(jobs)
    notifications = typed.kept("notification", NotificationContext)
    details = typed.kept("notification_details", NotificationDetails)
    _stop(raw.faults)
    if plan is None:
        raise BundleError(raw.faults)
    bundle = Bundle(
        source=PlanSource(plan=plan, jobs=artefacts, notifications=notifications, notification_details=details),
        documents=documents,
        ignored=tuple(raw.faults),
        origins=origins,
    )
    _be_complete(bundle)
    return bundle


def _stop(faults: list[Fault]) -> None:
    if any(not fault.warning for fault in faults):
        raise BundleError(faults)


def _be_complete(bundle: Bundle) -> None:
    """Refuse a plan with jobs whose files are missing, together with all else that the rules find."""
    if plan_rules.without_artefact(bundle.source):
        raise BundleError([*bundle.located(plan_rules.faults(bundle.source)), *bundle.ignored])


def _layout(raw: RawBundle) -> tuple[Documents, dict[str, tuple[Origin, ...]], list[tuple[str, RawJob]]]:
    """The documents in Ikasan's layout, where they came from, and the jobs with their paths."""
    plan = f"context/{sanitised(text_of(raw.plan, 'name'))}.json"
    documents: Documents = {plan: raw.plan}
    origins = {plan: raw.plan_origins}
    jobs: list[tuple[str, RawJob]] = []
    for folder in type_of_artefact:
        listed = [job for job in raw.jobs if job.folder == folder]
        keyed = {f"{identifier(job.document)}\0{number:06}": job for number, job in enumerate(listed)}
        names = kept_apart((key, text_of(job.document, "jobName")) for key, job in keyed.items())
        for key in sorted(keyed):
            path = f"jobs/{folder}/{names[key]}.json"
            documents[path] = keyed[key].document
            origins[path] = (keyed[key].origin,)
            jobs.append((path, keyed[key]))
    documents.update(sorted(raw.kept.items()))
    origins |= {path: (raw.kept_origins.get(path, Origin("$", path)),) for path in raw.kept}
    return documents, origins, jobs


class _Typed:
    """Turns documents into structs, and notes what does not fit."""

    def __init__(self, raw: RawBundle, origins: dict[str, tuple[Origin, ...]]) -> None:
        self._raw = raw
        self._origins = origins

    def plan(self) -> Plan | None:
        """The plan, unless its document does not fit."""
        return self._struct(self._raw.plan, Plan, next(iter(self._origins)))

    def artefacts(self, jobs: list[tuple[str, RawJob]]) -> tuple[Artefact, ...]:
        """The jobs with their templates' fields filled in. A template that is no job of the plan is not among them."""
        templates = {
            text_of(job.document, key): job.document
            for key in ("templateName", "jobName")
            for _, job in jobs
            if job.folder == "internalTemplate" and text_of(job.document, key)
        }
        scheduled = set(_scheduled(self._raw.plan))
        found: list[Artefact] = []
        for path, job in jobs:
            if job.folder == "internalTemplate" and identifier(job.document) not in scheduled:
                self._fit(job.document, CommandJob, path, partial=True)
                continue
            document = self._resolved(job.document, templates, path) if job.folder == "internal" else job.document
            artefact = self._struct(document, _CLASSES[job.folder], path)
            if artefact is not None:
                found.append(artefact)
        return tuple(found)

    def kept(self, folder: str, cls: type[S]) -> tuple[S, ...]:
        """The documents of a folder that are not about the plan's jobs, in the order of their paths."""
        found: list[S] = []
        for path, document in sorted(self._raw.kept.items()):
            if not path.startswith(f"{folder}/"):
                continue
            if not isinstance(document, dict):
                self._raw.wrong(_told(self._origins[path], path, "$"), f"{kind_of(document)} where an object belongs")
                continue
            fitted = self._struct(document, cls, path)
            if fitted is not None:
                found.append(fitted)
        return tuple(found)

    def _resolved(self, job: JsonObject, templates: dict[str, JsonObject], path: str) -> JsonObject:
        """The job with what it lacks taken from its template."""
        name = text_of(job, "templateName")
        if not name or job.get("templateBased") is False:
            return job
        if name not in templates:
            there = f"there are {', '.join(sorted(templates))}" if templates else "there is none"
            self._raw.wrong(
                _told(self._origins[path], path, "$.templateName"),
                f"no template '{name}' in jobs/internalTemplate ({there}); add its file or correct the name",
            )
            return job
        return {key: v for key, v in templates[name].items() if key not in _NOT_FROM_A_TEMPLATE} | job

    def _fit(self, document: JsonObject, cls: type[Struct], path: str, *, partial: bool = False) -> JsonObject | None:
        fitted, faults = fit(document, cls, partial=partial)
        self._raw.faults += [
            msgspec.structs.replace(fault, path=_told(self._origins[path], path, fault.path)) for fault in faults
        ]
        return None if any(not fault.warning for fault in faults) else fitted

    def _struct(self, document: JsonObject, cls: type[S], path: str) -> S | None:
        fitted = self._fit(document, cls, path)
        if fitted is None:
            return None
        tag = cls.__struct_config__.tag
        try:
            return msgspec.convert(fitted | {"type": tag} if isinstance(tag, str) else fitted, cls)
        except msgspec.ValidationError as error:
            self._raw.wrong(_told(self._origins[path], path, "$"), f"{error}")
            return None


def _scheduled(context: JsonObject) -> Iterator[str]:
    """The identifiers of all jobs of a plan."""
    for key in ("scheduledJobs", "contexts"):
        listed = context.get(key)
        for inner in listed if isinstance(listed, list) else []:
            if isinstance(inner, dict):
                yield from (_scheduled(inner) if key == "contexts" else [identifier(inner)])


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
