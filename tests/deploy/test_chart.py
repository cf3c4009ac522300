"""The Helm chart: linted, rendered in both of its modes, and each manifest as Kubernetes' own schemas have it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tamis import __version__
from tests.deploy.test_images import DEPLOY, SETTINGS, STORES_OWN

CHART = DEPLOY / "helm" / "tamis"
HELM = Path(sys.prefix) / "bin" / "helm"
KUBERNETES = ("1.27", "1.34")


def helm(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HELM, *map(str, arguments)], capture_output=True, text=True, check=False)


def rendered(release: str, *arguments: str | Path) -> list[dict[str, Any]]:
    done = helm("template", release, CHART, *arguments)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [one for one in manifests if one["kind"] == kind]
    return found


def pod(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    spec: dict[str, Any] = of_kind(manifests, kind)["spec"]["template"]["spec"]
    return spec


def test_it_is_as_charts_are_written() -> None:
    done = helm("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == __version__


@pytest.mark.parametrize("example", sorted((CHART / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_its_manifests_are_what_kubernetes_takes(example: Path) -> None:
    for manifest in rendered("search", "--values", example):
        for version in KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_embedded_is_one_server_with_a_volume_of_its_own() -> None:
    manifests = rendered("search")
    server = of_kind(manifests, "StatefulSet")["spec"]
    assert server["replicas"] == 1
    assert server["volumeClaimTemplates"][0]["metadata"]["name"] == "data"
    assert "Deployment" not in {one["kind"] for one in manifests}


def test_a_cluster_is_servers_over_stores() -> None:
    manifests = rendered("search", "--values", CHART / "examples" / "cluster.yaml")
    given = of_kind(manifests, "ConfigMap")["data"]
    assert given["TAMIS_INDEX_URL"] == "http://qdrant:6333"
    assert given["TAMIS_ALLOWED_HOSTS"] == "search.example.com"
    assert given["TAMIS_PUBLIC_URL"] == "https://search.example.com"
    assert given["TAMIS_MAX_EXECUTIONS"] == "128"
    (container,) = pod(manifests, "Deployment")["containers"]
    assert {"secretRef": {"name": "tamis"}} in container["envFrom"]
    # The autoscaler says how many.
    assert "replicas" not in of_kind(manifests, "Deployment")["spec"]
    assert "StatefulSet" not in {one["kind"] for one in manifests}


@pytest.mark.parametrize(("example", "kind"), [("embedded", "StatefulSet"), ("cluster", "Deployment")])
def test_its_settings_are_those_that_there_are(example: str, kind: str) -> None:
    manifests = rendered("tamis", "--values", CHART / "examples" / f"{example}.yaml")
    assert set(of_kind(manifests, "ConfigMap")["data"]) <= SETTINGS | STORES_OWN
    spec = pod(manifests, kind)
    # Of a service named tamis Kubernetes would make a variable TAMIS_PORT, which is a setting.
    assert spec["enableServiceLinks"] is False
    drained = of_kind(manifests, "ConfigMap")["data"]
    waits = float(drained["TAMIS_DRAIN_NOTICE_S"]) + float(drained["TAMIS_DRAIN_S"])
    assert spec["terminationGracePeriodSeconds"] > waits
    assert spec["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("mode=cluster", "existingSecret"),
        ("mode=cluster,existingSecret=tamis", "stores.indexUrl"),
        ("mode=both", "mode"),
        ("settings.TAMIS_ROOT_KEY=sk_in_the_open", "settings"),
        ("ingress.enabled=true", "ingress.host"),
        ("replica=3", "replica"),
        ("stores.indexUrl=qdrant:6333", "stores.indexUrl"),
    ],
)
def test_what_is_wrong_is_refused_by_name(values: str, told: str) -> None:
    done = helm("template", "search", CHART, "--set", values)
    assert done.returncode != 0
    assert told in done.stderr
