"""Run by the Python of an Airflow with the Kubernetes provider: FOLDER... ANSWER. Writes the pods
that the tasks in DAG folders become, as they would be sent to Kubernetes."""

import datetime
import json
import sys
import types
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.providers.cncf import kubernetes as provider  # noqa: E402
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator  # noqa: E402
from kubernetes.client import ApiClient  # noqa: E402

*folders, answer = sys.argv[1:]
client = ApiClient()
# What the provider gives as an example of a worker: volumes, secrets, an account.
TEMPLATE = Path(provider.__file__).with_name("pod_template_file_examples") / (
    "dags_in_image_template.yaml")


def pod_of_operator(dag, task):
    """With its sidecar; a dry run asks no cluster."""
    ti = types.SimpleNamespace(try_number=2, task_id=task.task_id, dag_id=dag.dag_id,
                               run_id="manual__1", map_index=-1, task=task, dag_run=None)
    context = {"dag": dag, "task": task, "ti": ti, "task_instance": ti, "run_id": "manual__1",
               "ds": "2026-11-23", "dag_run": types.SimpleNamespace(run_id="manual__1")}
    task.render_template_fields(context)
    return task.build_pod_request_obj(dry_run=True)


def pod_of_worker(dag, task):
    """As the KubernetesExecutor lays the override over the pod of its workers."""
    base = PodGenerator.deserialize_model_file(str(TEMPLATE))
    return PodGenerator.construct_pod(
        dag_id=dag.dag_id, task_id=task.task_id, pod_id="pod", try_number=1, kube_image="airflow:3",
        date=datetime.datetime.now(datetime.timezone.utc), args=["airflow"], namespace="airflow",
        pod_override_object=task.executor_config["pod_override"], base_worker_pod=base,
        scheduler_job_id="1", run_id="manual__1",
    )


def as_sent(pod):
    """Read back by the client's models of the Kubernetes schema, which drop what is not in it."""
    sent = client.sanitize_for_serialization(pod)
    response = types.SimpleNamespace(data=json.dumps(sent))
    read = client.sanitize_for_serialization(client.deserialize(response, "V1Pod"))
    assert read == sent, (read, sent)
    return sent


pods = {}
for folder in folders:
    bag = DagBag(folder)
    assert not bag.import_errors, bag.import_errors
    for dag in bag.dags.values():
        for task in dag.tasks:
            if task.task_type == "KubernetesPodOperator":
                pods[f"{dag.dag_id}.{task.task_id}"] = as_sent(pod_of_operator(dag, task))
            elif task.executor_config:
                pods[f"{dag.dag_id}.{task.task_id}"] = as_sent(pod_of_worker(dag, task))
with open(answer, "w") as file:
    json.dump(pods, file)
