"""Rules over what starts functions, and over what they reach, in words."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from settings import stream_rules, trigger_rules, work_rules
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.wiring import REPORT_FORMATS, REPORT_TYPES, REPORTER

Rule = Callable[[Draft], Iterator[Mistake]]

_FIFO: Final = " and ".join(f"`{key}`" for key in trigger_rules.FIFO_KEYS)

OF_TRIGGERS: Final[Mapping[Rule, tuple[str, str]]] = {
    trigger_rules.queue_outlasts_consumer: (
        (
            "a queue's visibility timeout at least its consumer's timeout; a warning below "
            f"{trigger_rules.VISIBILITY_FACTOR} times that plus the window"
        ),
        "Lambda refuses less",
    ),
    trigger_rules.large_batch_waits: (
        f"`batch_size` above {trigger_rules.UNDELAYED_BATCH} needs a batching window of a second or more",
        "Lambda refuses it",
    ),
    trigger_rules.fifo_batches_do_not_wait: (
        f"FIFO queues: `batch_size` at most {trigger_rules.UNDELAYED_BATCH}, no batching window",
        "Lambda refuses it",
    ),
    trigger_rules.fifo_keys_are_of_fifo_queues: (
        f"{_FIFO} of FIFO queues only",
        "SQS refuses them on others",
    ),
    trigger_rules.fifo_groups_have_quotas_of_their_own: (
        "`fifo_throughput_limit: perMessageGroupId` with `deduplication_scope: messageGroup` only",
        "SQS refuses it",
    ),
    trigger_rules.queue_fits_reserved: (
        "a queue's `maximum_concurrency` at most its consumer's reserved concurrency, which is not 1",
        "messages would be throttled",
    ),
    trigger_rules.message_lives_to_dead_letter: (
        "`message_retention_seconds` more than visibility timeout times `max_receive_count` and `delay_seconds`",
        "messages would expire unnoticed",
    ),
    trigger_rules.dead_letter_outlives_queue: (
        "`dead_letter_retention_seconds` at least `message_retention_seconds`",
        "age counts from the first sending",
    ),
    stream_rules.positions_have_their_moment: (
        "`starting_position: AT_TIMESTAMP` for Kinesis streams, with `starting_position_timestamp` and nothing else",
        "Lambda refuses it",
    ),
    stream_rules.windows_have_one_reader: (
        "`tumbling_window_in_seconds` without a `parallelization_factor` above 1",
        "Lambda refuses it",
    ),
    stream_rules.dates_bound_what_repeats: (
        "`end_date` of a schedule later than its `start_date`; neither beside `at()`",
        "Scheduler refuses the one and ignores the other",
    ),
    stream_rules.reports_are_known: (
        f"`input` of {REPORTER}: `report_type` one of {', '.join(REPORT_TYPES)}; `format` one of {', '.join(REPORT_FORMATS)}",
        "its reports would fail unseen",
    ),
    work_rules.shards_are_of_a_provisioned_stream: (
        "`telemetry.shard_count` with `stream_mode: PROVISIONED` only",
        "AWS counts the others itself",
    ),
    work_rules.devices_publish_to_a_stream: (
        "`telemetry.iot_rule_enabled` beside `enabled`",
        "there is no stream without it",
    ),
    work_rules.identities_are_of_an_address: (
        "`mail.create_identity` beside `from_address`",
        "the address is what is verified",
    ),
    work_rules.partner_is_public: (
        "`partner.url`: https and a public host, unless `private_network` is set; a link-local address never",
        "a function could be led into its own network",
    ),
    work_rules.probe_is_in_a_network: (
        f"`probe.host` beside `vpc_config` of {work_rules.PROBE}",
        "the host is tried from inside a network",
    ),
}
"""Rule -> what it asks for, and why."""
