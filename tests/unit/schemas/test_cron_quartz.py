"""The recorded answers of Quartz 2.3.2: the contract, and what was decided about its accidents."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from jobplan.cron.check import Case, check_case, check_file, read_cases

PUBLIC = Path(__file__).parents[2] / "quartz" / "public.jsonl"
ACCIDENTS = ("quirk", "beyond-rule", "error-at-compute")


def test_every_case_of_the_contract_agrees() -> None:
    """All 638 cases that are no accidents of Quartz agree, valid and invalid."""
    result = check_file(PUBLIC, ACCIDENTS)

    assert result.disagreements == ()
    assert (result.agree, result.left_out) == (638, 36)


def test_accidents_are_decided_as_documented() -> None:
    """docs/cron.md: refused, the simple rule with the same answer, the simple rule with another."""
    accidents = [case for case in read_cases(PUBLIC) if not set(ACCIDENTS).isdisjoint(case.tags)]
    decisions = Counter(map(_decision, accidents))

    assert decisions == {
        "refused, and Quartz answers": 23,
        "refused, and Quartz fails": 1,
        "same answer": 5,
        "simple rule, and Quartz leaves it": 7,
    }


def _decision(case: Case) -> str:
    """What we do with one accident of Quartz."""
    disagreement = check_case(case)
    if disagreement is None:
        return "refused, and Quartz fails" if case.must_be_rejected else "same answer"
    if disagreement.got.startswith("rejected"):
        return "refused, and Quartz answers"
    assert "beyond-rule" in case.tags
    return "simple rule, and Quartz leaves it"
