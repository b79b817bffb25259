"""File jobs: which files fire, once each, together, in order, and what is asked of the world for it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from agent_node.core.effects import Effect, FolderPattern, PendingMove, TakeFiles, UnwatchFolders, WatchFolders
from agent_node.core.events import FilesMoved
from schemas.plan import FileJob
from schemas.status import FireOutcome
from tests.support.agents import HOUR, INSTANCE, NOON, SECOND, Fields, HandDriven, a_file_job, a_publication

JOB = a_file_job().id
OLD = NOON - HOUR
MINUTE = timedelta(minutes=1)


def an_agent(job: FileJob | None = None, **publication: object) -> HandDriven:
    """An agent with one file job, and an instance that is open from noon to midnight."""
    agent = HandDriven()
    agent.provision(job or a_file_job())
    agent.publish(a_publication(**publication))  # type: ignore[arg-type]  # the builder's own words
    return agent


def watched(effects: list[Effect]) -> list[WatchFolders]:
    """What is to be looked at."""
    return [effect for effect in effects if isinstance(effect, WatchFolders)]


def test_open_instance_is_watched_until_it_closes() -> None:
    """Looking begins with the window and ends with it."""
    agent = HandDriven()
    agent.provision(a_file_job("/d/in_.*\\.txt"))
    early = agent.publish(a_publication(opens=NOON + HOUR, closes=NOON + 2 * HOUR))

    opened = agent.wait_until(NOON + HOUR)
    closed = agent.wait_until(NOON + 2 * HOUR)

    assert watched(early) == []
    assert [watch.patterns for watch in watched(opened)] == [(FolderPattern(directory="/d", expression="in_.*\\.txt"),)]
    assert closed == [UnwatchFolders(instance=INSTANCE, job=JOB)]


def test_scenario_190_one_fire_lists_all_files() -> None:
    """Every file is tested by itself; those that qualify fire together."""
    agent = an_agent(a_file_job(minFileAgeSeconds=30))

    effects = agent.see(JOB, [("/d/b", OLD), ("/d/young", NOON), ("/d/a", OLD)])

    assert [fire.files for fire in agent.fires(JOB)] == [("/d/a", "/d/b")]
    assert effects == [TakeFiles(instance=INSTANCE, job=JOB, paths=("/d/a", "/d/b"), moves=())]


@pytest.mark.parametrize(("age", "fires"), [(29, False), (30, False), (31, True)])
def test_scenario_188_file_has_to_be_older(age: int, fires: bool) -> None:  # noqa: FBT001  # a column
    """Strictly older than its minimum age; looked at again until it is."""
    agent = an_agent(a_file_job(minFileAgeSeconds=30))

    agent.see(JOB, [("/d/f", NOON - timedelta(seconds=age))])

    assert len(agent.fires(JOB)) == fires


def test_scenario_189_file_fires_once_an_instance() -> None:
    """Seen again, even after a restart and even if it was written anew, it does not fire again."""
    agent = an_agent()
    agent.see(JOB, [("/d/f", OLD)])
    again = agent.see(JOB, [("/d/f", NOON)])
    effects = agent.start()

    agent.see(JOB, [("/d/f", NOON)])

    assert again == []
    assert watched(effects)[0].known == ("/d/f",)
    assert len(agent.fires(JOB)) == 1


def test_scenario_189_same_name_in_another_folder_is_another_file() -> None:
    """The whole path counts."""
    agent = an_agent()
    agent.see(JOB, [("/d/f", OLD)])

    agent.see(JOB, [("/e/f", OLD)])

    assert [fire.files for fire in agent.fires(JOB)] == [("/d/f",), ("/e/f",)]


def test_new_instance_sees_the_file_again() -> None:
    """With the instance goes what it has taken."""
    agent = an_agent()
    agent.see(JOB, [("/d/f", OLD)])
    agent.remove()
    agent.publish()

    agent.see(JOB, [("/d/f", OLD)])

    assert len(agent.fires(JOB)) == 1


@pytest.mark.parametrize(("fields", "order"), [
    ({}, ("/d/a", "/d/b", "/d/c")),
    ({"sortAscending": False}, ("/d/c", "/d/b", "/d/a")),
    ({"sortByModifiedDateTime": True}, ("/d/c", "/d/a", "/d/b")),
    ({"sortByModifiedDateTime": True, "sortAscending": False}, ("/d/b", "/d/a", "/d/c")),
])  # fmt: skip
def test_files_are_sorted_as_wanted(fields: Fields, order: tuple[str, ...]) -> None:
    """By path or by time of change, up or down."""
    agent = an_agent(a_file_job(**fields))

    agent.see(JOB, [("/d/a", OLD), ("/d/b", OLD + SECOND), ("/d/c", OLD - SECOND)])

    assert agent.fires(JOB)[0].files == order


@pytest.mark.parametrize("directory", ["", "."])
def test_scenario_191_no_move(directory: str) -> None:
    """An empty folder, or a dot, means that files stay."""
    agent = an_agent(a_file_job(moveDirectory=directory))

    effects = agent.see(JOB, [("/d/f", OLD)])

    assert [effect.moves for effect in effects if isinstance(effect, TakeFiles)] == [()]


def test_scenario_192_move_comes_after_the_fire_and_is_asked_again() -> None:
    """It is saved with the fire, and asked for again after a restart until it is done."""
    agent = an_agent(a_file_job(moveDirectory="/arch"))
    move = PendingMove(path="/d/f", directory="/arch")
    first = agent.see(JOB, [("/d/f", OLD)])
    again = agent.start()
    agent.give(FilesMoved(now=agent.now, instance=INSTANCE, job=JOB, paths=("/d/f", "/d/unknown")))

    after = agent.start()

    assert first == [TakeFiles(instance=INSTANCE, job=JOB, paths=("/d/f",), moves=(move,))]
    assert watched(again)[0].moves == (move,)
    assert (watched(after)[0].moves, watched(after)[0].known) == ((), ("/d/f",))


def test_scenario_193_missing_folder_is_a_problem_and_no_event() -> None:
    """It is said in the report, and no longer when it is gone."""
    agent = an_agent()
    agent.see(JOB, [], "folder '/d' is missing")
    report = agent.fire_report(JOB)

    agent.see(JOB, [])

    assert report is not None
    assert (report.problem, report.fires) == ("folder '/d' is missing", ())
    assert agent.fire_report(JOB) is None


@pytest.mark.parametrize("fields", [{"dropEventOnBlackout": True}, {"onBlackout": "delay"}])
def test_scenario_194_blackout_leaves_files_untouched(fields: Fields) -> None:
    """Neither taken nor moved; when it is over they fire."""
    job = a_file_job(moveDirectory="/arch", blackoutWindowCronExpressions=["* * 12 * * ?"], **fields)
    agent = an_agent(job)
    inside = agent.see(JOB, [("/d/f", OLD)])
    agent.wait_until(NOON + HOUR)

    agent.see(JOB, [("/d/f", OLD)])

    assert inside == []
    assert [fire.outcome for fire in agent.fires(JOB)] == [FireOutcome.FIRED]


@pytest.mark.parametrize("fields", [{"dropEventOnBlackout": True}, {"onBlackout": "delay"}])
def test_files_that_a_blackout_keeps_back_are_told_until_it_is_over(fields: Fields) -> None:
    """Since when the first of them is there, and until when; another blackout may follow at once."""
    job = a_file_job(blackoutWindowCronExpressions=["* 0-9 12 * * ?", "* 10-19 12 * * ?"], **fields)
    agent = an_agent(job)
    told = []
    for minute, files in ((1, ["/d/f"]), (2, ["/d/f", "/d/g"]), (10, None), (20, None)):
        agent.wait_until(NOON + minute * MINUTE)
        if files is not None:
            agent.see(JOB, [(file, OLD) for file in files])
        report = agent.fire_report(JOB)
        told.append(None if report is None else (report.delayed, report.delayed_until, report.fires))

    agent.see(JOB, [("/d/f", OLD), ("/d/g", OLD)])

    since = NOON + MINUTE
    assert told == [
        (since, NOON + 10 * MINUTE, ()),
        (since, NOON + 10 * MINUTE, ()),
        (since, NOON + 20 * MINUTE, ()),
        None,
    ]
    assert [fire.files for fire in agent.fires(JOB)] == [("/d/f", "/d/g")]


def test_files_that_vanish_inside_a_blackout_are_told_no_more() -> None:
    """Nor when the window closes."""
    agent = an_agent(a_file_job(blackoutWindowCronExpressions=["* * 12 * * ?"], onBlackout="delay"))
    agent.see(JOB, [("/d/f", OLD)])
    there = agent.fire_report(JOB)

    agent.see(JOB, [])

    assert there is not None
    assert agent.fire_report(JOB) is None


def test_blackout_that_lets_pass_takes_the_file() -> None:
    """The job is passed over, and the file does not come again."""
    agent = an_agent(a_file_job(blackoutWindowCronExpressions=["* * 12 * * ?"]))
    agent.see(JOB, [("/d/f", OLD)])
    agent.wait_until(NOON + HOUR)

    agent.see(JOB, [("/d/f", OLD)])

    assert [fire.outcome for fire in agent.fires(JOB)] == [FireOutcome.PASSED]


def test_look_that_comes_after_the_window_finds_nobody() -> None:
    """Neither after the close nor after the removal (S8)."""
    agent = an_agent(closes=NOON + HOUR)
    agent.now = NOON + HOUR
    late = agent.see(JOB, [("/d/f", OLD)])
    agent.remove()

    gone = agent.see(JOB, [("/d/f", OLD)])

    assert (late, gone, agent.shown) == ([], [], {})


def test_parameters_stand_for_themselves_in_patterns() -> None:
    """Literally, in the folder and in the expression."""
    agent = HandDriven()
    agent.provision(a_file_job("/in/${site}/data_${day}.csv"))

    effects = agent.publish(a_publication(parameters={"site": "a.b", "day": "1.3"}))

    assert watched(effects)[0].patterns == (FolderPattern(directory="/in/a.b", expression=r"data_1\.3.csv"),)


@pytest.mark.parametrize(("pattern", "expression"), [
    (r"/d/(?<year>\d+)_\k.txt", None),
    (r"/d/(?<year>\d+)\.txt", r"(?P<year>\d+)\.txt"),
    (r"/d/\Qa+b\E.*", r"a\+b.*"),
    (r"/d/(?<=x)y", r"(?<=x)y"),
    ("/d/plain.txt", "plain.txt"),
    ("/d/*.txt", None),
])  # fmt: skip
def test_java_expressions_are_read(pattern: str, expression: str | None) -> None:
    """Named groups and quotations are translated; what is no expression is a problem."""
    agent = HandDriven()
    agent.provision(a_file_job(pattern))

    effects = agent.publish()

    found = [entry.expression for watch in watched(effects) for entry in watch.patterns]
    assert found == ([] if expression is None else [expression])
    assert (agent.fire_report(JOB) is None) == (expression is not None)


@pytest.mark.parametrize(("fields", "word"), [
    ({"filenames": []}, "filenames is empty"),
    ({"filenames": ["/d/${nobody}"]}, "no parameter 'nobody'"),
    ({"cronExpression": "soon"}, "cronExpression"),
])  # fmt: skip
def test_file_job_that_cannot_be_read_says_so(fields: Fields, word: str) -> None:
    """And nothing is looked at."""
    agent = HandDriven()
    agent.provision(a_file_job(**fields))

    effects = agent.publish()

    report = agent.fire_report(JOB)
    assert watched(effects) == []
    assert report is not None
    assert word in report.problem


@pytest.mark.parametrize(("pattern", "path", "directory"), [
    ("f.txt", "", "."),
    ("f.txt", "/in", "/in"),
    ("/f.txt", "", "/"),
    ("a/b/f.txt", "", "a/b"),
])  # fmt: skip
def test_folder_of_a_pattern(pattern: str, path: str, directory: str) -> None:
    """Up to the last slash; without one it is filePath, else where the agent runs."""
    agent = HandDriven()
    agent.provision(a_file_job(pattern, filePath=path))

    effects = agent.publish()

    assert watched(effects)[0].patterns[0].directory == directory


@pytest.mark.parametrize(("filename", "expression"), [
    ("/d/in_${today:yyyyMMdd}.txt", "in_20260302.txt"),
    ("/d/in_${today-1:yyMMdd}.txt", "in_260301.txt"),
    ("/d/in_${businessDay-1:yyyy-MM-dd}.txt", "in_2026\\-02\\-27.txt"),
    ("/d/${today}", "named\\ today"),
])  # fmt: skip
def test_dates_in_names_are_the_day_the_instance_opens(filename: str, expression: str) -> None:
    """However long it stays open; a parameter of that name comes first."""
    agent = HandDriven()
    agent.provision(a_file_job(filename))
    effects = agent.publish(a_publication(parameters={"today": "named today"}))
    agent.now = NOON + 9 * HOUR
    later = agent.start()

    assert [watch.patterns[0].expression for watch in watched(effects)] == [expression]
    assert [watch.patterns[0].expression for watch in watched(later)] == [expression]


def test_day_of_a_name_is_the_one_in_the_jobs_zone() -> None:
    """At noon in UTC it is tomorrow already in Kiritimati."""
    agent = HandDriven()
    agent.provision(a_file_job("/d/${today:dd}", timeZone="Pacific/Kiritimati"))
    effects = agent.publish()

    assert [watch.patterns[0].expression for watch in watched(effects)] == ["03"]


def test_polling_in_seconds_needs_no_cron() -> None:
    """How often and how stable is handed on; what is moved may be packed, also after a restart."""
    job = a_file_job(cronExpression="", pollSeconds=2.5, stableSeconds=4, moveDirectory="done", compressMoved=True)
    agent = HandDriven()
    agent.provision(job)
    watch = watched(agent.publish())[0]
    agent.see(JOB, [("/d/a", OLD)])
    again = watched(agent.start())[0]

    assert (watch.cron, watch.every, watch.stable) == ("", 2.5, 4)
    assert again.moves == (PendingMove(path="/d/a", directory="done", compress=True),)


@pytest.mark.parametrize(("pattern", "name", "matches"), [
    ("glob:/d/*.txt", "a.txt", True), ("glob:/d/*.txt", "a.txt.bak", False), ("glob:/d/in_[0-9]?", "in_1x", True),
    ("glob:/d/${p}", "a*b", True), ("glob:/d/${p}", "aXb", False), ("glob:f.txt", "f.txt", True),
])  # fmt: skip
def test_glob_patterns(pattern: str, name: str, matches: bool) -> None:  # noqa: FBT001  # a column
    """As shells have them; parameters stand for themselves."""
    agent = HandDriven()
    agent.provision(a_file_job(pattern, filePath="/d"))
    found = watched(agent.publish(a_publication(parameters={"p": "a*b"})))[0].patterns[0]

    assert found.directory == "/d"
    assert (re.fullmatch(found.expression, name) is not None) is matches
