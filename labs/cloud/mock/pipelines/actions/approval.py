"""The manual approval: waits for a reviewer's PutApprovalResult.

Sources: User Guide, "Manage approval actions in pipelines", "JSON data format for manual approval
notifications"; subjects of notifications that users quote; quotas (7 days). Texts of failures are
ours.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from labs.cloud.mock.pipelines.model import new_id, now
from labs.cloud.mock.pipelines.work import TIMEOUT, ActionFailed, Done, Work
from labs.cloud.settings import TIME_SCALE

#: The longest subject that SNS takes.
LONGEST = 100


def perform(work: Work) -> Done:
    minutes = work.action.get("timeoutInMinutes")
    patience = minutes * 60 / TIME_SCALE if minutes else work.motor.waits.approval
    with work.motor.changed:
        work.run.token = new_id()
        work.motor.changed.notify_all()
    if topic := work.configuration.get("NotificationArn"):
        _notify(work, topic, patience)
    if not work.wait(lambda: work.run.verdict is not None, patience):
        raise ActionFailed(TIMEOUT, "Nobody has approved or rejected in time")
    is_approved, summary = work.run.verdict
    work.show(summary=summary)
    if not is_approved:
        raise ActionFailed("", summary or "Rejected")
    return Done(summary=summary or "Approved")


def _notify(work: Work, topic: str, patience: float) -> None:
    run = work.run
    pipeline = run.execution.pipeline
    link = (
        "https://console.aws.amazon.com/codesuite/codepipeline/pipelines/"
        f"{pipeline.name}/view?region={pipeline.region}"
    )
    approval: dict[str, Any] = {
        "pipelineName": pipeline.name,
        "stageName": run.stage,
        "actionName": run.name,
        "token": run.token,
        "expires": f"{now() + timedelta(seconds=patience):%Y-%m-%dT%H:%MZ}",
        "externalEntityLink": work.configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{link}#/{run.stage}/{run.name}/approve/{run.token}",
        "customData": work.configuration.get("CustomData"),
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {pipeline.name} for action {run.name}"
    message = {"region": pipeline.region, "consoleLink": link, "approval": approval}
    work.client("sns").publish(
        TopicArn=topic, Subject=subject[:LONGEST], Message=json.dumps(message)
    )
