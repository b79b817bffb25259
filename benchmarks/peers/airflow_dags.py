"""The chain and the fan as DAGs of Airflow. Imports nothing of ours: it runs where Airflow is."""

from __future__ import annotations

import os

from airflow.providers.standard.operators.bash import BashOperator  # type: ignore[import-not-found]  # only where this runs
from airflow.sdk import DAG  # type: ignore[import-not-found]  # likewise

_COMMAND = os.environ["PEER_COMMAND"]
"""With STAMPS and JOB for what differs."""


def _job(name: str) -> BashOperator:
    command = _COMMAND.replace("JOB", name).replace("STAMPS", "{{ dag_run.conf['stamps'] }}")
    return BashOperator(task_id=name, bash_command=command)


for kind, number in (("chain", int(os.environ["PEER_CHAIN"])), ("fan", int(os.environ["PEER_FAN"]) + 2)):
    with DAG(dag_id=kind, schedule=None, catchup=False, max_active_tasks=int(os.environ["TOGETHER"])) as dag:
        first, *middle, last = [_job(f"j{index:04}") for index in range(number)]
        if kind == "chain":
            before = first
            for one in (*middle, last):
                before >> one
                before = one
        else:
            first >> middle >> last
    globals()[kind] = dag
