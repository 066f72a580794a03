from __future__ import annotations

from pathlib import Path

import pytest

from detector.config import Finding, check_settings, examine_settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HEAD = "cameras: [{id: a, url: a.mp4}]\nendpoints:\n"


def told(folder: Path, text: str) -> list[str]:
    """What is said about a settings file, without its name."""
    file = folder / "fleet.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    examined = examine_settings(file, {"KEY": "canary4711"})
    findings = list(examined.findings)
    if examined.settings is not None:
        findings += [one for one in check_settings(examined.settings) if _concerns(one)]
    said = [str(one).removeprefix(f"{file}:") for one in findings]
    assert "canary4711" not in " ".join(said)
    return said


def _concerns(finding: Finding) -> bool:
    return finding.key.startswith("endpoints") or finding.file.name in {"bureau.yaml", "none.yaml"}


@pytest.mark.parametrize(
    "endpoint",
    [
        f"{{name: a, url: 'https://x.example/', secrets: [{SECRET}]}}",
        f"{{name: a, kind: webhook, url: 'https://x.example/', secrets: [{SECRET}]}}",
        "{name: a, kind: mqtt, url: 'mqtts://u:${KEY}@x.example'}",
        "{name: a, kind: mqtt, url: 'mqtt://127.0.0.1:1883', mqtt: {topic: 'a/{camera_id}'}}",
        "{name: a, kind: open311, url: 'https://x.example', open311: {api_key: '${KEY}', default_service_code: 1x}}",
    ],
)
def test_endpoints_of_all_kinds(tmp_path: Path, endpoint: str) -> None:
    assert told(tmp_path, f"  - {endpoint}\n") == []


@pytest.mark.parametrize(
    ("endpoint", "findings"),
    [
        ("{name: a, url: 'https://x/'}", ["3: endpoints[0].secrets: needs at least 1"]),
        ("{name: a, kind: webhok, url: 'https://x/'}", ["3: endpoints[0].kind: must be one of webhook"]),
        (
            f"{{name: a, url: 'mqtt://x/', secrets: [{SECRET}]}}",
            ["3: endpoints[0].url: must be an http:// or https://"],
        ),
        ("{name: a, kind: mqtt, url: 'https://x/'}", ["3: endpoints[0].url: must be an mqtt:// or mqtts://"]),
        (
            "{name: a, kind: mqtt, url: 'mqtts://x', mqtt: {topic: 'a/#'}}",
            ["3: endpoints[0].mqtt.topic: must be a topic"],
        ),
        (
            "{name: a, kind: mqtt, url: 'mqtts://x', mqtt: {topic: 'a/{id}'}}",
            ["3: endpoints[0].mqtt.topic: may contain"],
        ),
        (
            "{name: a, kind: mqtt, url: 'mqtts://x', mqtt: {topc: a}}",
            ["3: endpoints[0].mqtt.topc: unknown key; did you"],
        ),
        (
            "{name: a, kind: mqtt, url: 'mqtts://x', open311: {}}",
            ["3: endpoints[0].open311: belongs to `kind: open311`"],
        ),
        (
            f"{{name: a, kind: mqtt, url: 'mqtts://x', secrets: [{SECRET}]}}",
            ["3: endpoints[0].secrets: only a webhook"],
        ),
        ("{name: a, kind: open311, url: 'https://x/'}", ["3: endpoints[0].open311: is missing"]),
        ("{name: a, kind: mapped, url: 'https://x/'}", ["3: endpoints[0].mapped: is missing"]),
        (
            "{name: a, kind: open311, url: 'https://x/', open311: {on: {problem.cleared: note}}}",
            ["3: endpoints[0].open311.on: a note needs `note_service_code`"],
        ),
        (
            "{name: a, kind: open311, url: 'https://x/', open311: {api_key: '${KYE}'}}",
            ["3: endpoints[0].open311.api_key: environment variable KYE is not set"],
        ),
        (
            "{name: a, kind: open311, url: 'https://x/', open311: {service_codes: {exposed_garbge: '1'}}}",
            [
                '3: endpoints[0].open311.service_codes.exposed_garbge: is no category; did you mean "exposed_garbage"?',
                "3: endpoints[0].open311.service_codes: no service code for bin_overflow, exposed_garbage",
            ],
        ),
        (
            "{name: a, kind: mqtt, url: 'mqtt://u:${KEY}@x.example', mqtt: {topic: street}}",
            [
                "3: endpoints[0].url: is not encrypted: anybody on the way can read the events; use mqtts",
                "3: endpoints[0].mqtt.topic: all cameras share this topic",
            ],
        ),
    ],
)
def test_what_is_wrong_is_told_by_line_and_key(tmp_path: Path, endpoint: str, findings: list[str]) -> None:
    said = told(tmp_path, f"  - {endpoint}\n")
    assert len(said) == len(findings), said
    for one, wanted in zip(said, findings, strict=True):
        assert one.startswith(wanted)


def test_what_is_wrong_in_a_mapping_file_is_told_with_the_settings(tmp_path: Path) -> None:
    (tmp_path / "bureau.yaml").write_text(
        "messages:\n  - on: [problem.opened]\n    fields:\n      - {to: a, fact: x}\n"
    )
    [finding] = told(tmp_path, "  - {name: a, kind: mapped, url: 'https://x/', mapped: {file: bureau.yaml}}\n")
    assert finding.startswith(f'{tmp_path / "bureau.yaml"}:4: messages[0].fields[0].fact: "x" is nothing that')
    [missing] = told(tmp_path, "  - {name: a, kind: mapped, url: 'https://x/', mapped: {file: none.yaml}}\n")
    assert "none.yaml: cannot be read" in missing
