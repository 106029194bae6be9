"""The fault matrix: which test holds each cell, or why a cell cannot be.

A cell is `file::test` below tests/, several with blanks between, or a reason that begins with `-`.
"""

from __future__ import annotations

from typing import Final

SOURCES: Final = (
    "REST",
    "WebSocket",
    "SQS",
    "DynamoDB stream",
    "S3",
    "SNS and EventBridge",
    "schedule",
)

_A: Final = "application/"
_FAULTS: Final = f"{_A}test_faults.py::"
_CRASH: Final = f"{_FAULTS}test_a_crash_after_the_first_write_leaves_one_effect"
_BETWEEN: Final = f"{_FAULTS}test_a_crash_between_two_writes_leaves_both_once"
_REQUEST: Final = f"{_FAULTS}test_a_crash_of_a_request_is_5xx_and_its_repetition_leaves_one_item"
_SOCKET: Final = (
    f"{_FAULTS}test_a_subscription_that_failed_is_told_so_and_made_once_when_asked_again"
)
_REFUSED: Final = f"{_FAULTS}test_a_service_that_refuses_is_asked_again"
_TABLE: Final = f"{_FAULTS}test_a_request_that_its_table_refuses_is_503_and_may_come_again"
_OUTLASTS: Final = f"{_FAULTS}test_an_outage_that_outlasts_every_try_is_done_after_a_redrive"
_OUTAGE: Final = f"{_FAULTS}test_an_outage_leaves_orders_in_their_queue"
_REPORT: Final = f"{_FAULTS}test_a_report_that_failed_is_written_by_the_next_try"
_WRITER: Final = f"{_FAULTS}test_a_report_whose_writer_crashed_is_done_by_a_later_run"
_ORDER: Final = f"{_A}test_faults_order.py::"
_ROTATED: Final = (
    f"{_A}test_events_webhook.py::test_a_changed_secret_is_fetched_again_and_the_event_taken"
)
_ALIAS: Final = f"{_A}test_faults_order.py::test_a_new_version_during_work_loses_nothing"
_DEPLOYED: Final = f"{_A}test_deploy_during_traffic.py::test_nobody_notices_a_deployment"

NOT_CONNECTED: Final = "- nobody is connected by it"
NO_SECRET: Final = "- the functions behind it read no secret"
NO_CACHE: Final = "- the stack has no cache"
NO_ORDER: Final = "- its runs have no order"

CELLS: Final[dict[str, tuple[str, ...]]] = {
    "duplicate x3": (
        f"{_A}test_idempotency.py::test_three_times_the_same_is_one_write_and_one_answer",
        f"{_A}test_socket_faults.py::test_an_event_that_comes_three_times_leaves_one_row",
        f"{_ORDER}test_what_comes_three_times_has_one_effect",
        f"{_ORDER}test_what_comes_three_times_has_one_effect",
        f"{_ORDER}test_an_upload_told_three_times_is_worked_on_once",
        f"{_ORDER}test_what_comes_three_times_has_one_effect",
        f"{_A}test_events_schedules.py::test_a_report_is_written_once_a_day_and_its_link_told_once",
    ),
    "out of order": (
        f"{_A}test_parallel_updates.py::test_of_a_thousand_updates_none_is_lost",
        f"{_A}test_socket_faults.py::test_a_late_end_of_an_old_connection_leaves_the_new_one",
        f"{_ORDER}test_changes_in_any_order_end_in_the_same_state",
        f"{_ORDER}test_an_older_change_of_an_item_takes_its_own_place",
        f"{_ORDER}test_an_older_upload_changes_nothing",
        f"{_ORDER}test_events_are_written_down_by_their_own_time",
        NO_ORDER,
    ),
    "poison": (
        f"{_A}test_hostile_json.py::test_a_body_that_is_no_json_is_refused",
        f"{_A}test_hostile_sockets.py::test_frames_that_are_no_json_are_refused",
        f"{_A}test_events_queues.py::test_a_poison_order_alone_is_a_dead_letter",
        f"{_A}test_events_streams.py::test_a_change_that_fails_is_halved_out_and_its_batch_can_be_replayed",
        f"{_A}test_events_files.py::test_what_cannot_be_a_picture_ends_in_the_failures_queue_with_its_event",
        f"{_A}test_events_topics.py::test_an_event_that_means_no_order_is_poison_and_fails_alone",
        f"{_A}test_events_schedules.py::test_a_run_that_failed_is_kept_with_its_input_and_done_after_a_redrive",
    ),
    "crash, out of memory, timeout": (
        _REQUEST,
        _SOCKET,
        f"{_CRASH} {_FAULTS}test_a_timeout_costs_one_receive_and_leaves_one_effect",
        _CRASH,
        _CRASH,
        _CRASH,
        _WRITER,
    ),
    "crash between two writes": (
        _REQUEST,
        "- a subscription is one write",
        f"{_BETWEEN} {_FAULTS}test_a_crash_after_the_mail_leaves_one_order_and_at_most_one_mail_more",
        _BETWEEN,
        _BETWEEN,
        _BETWEEN,
        _WRITER,
    ),
    "downstream throttled": (_TABLE, _SOCKET, _REFUSED, _REFUSED, _REFUSED, _REFUSED, _REPORT),
    "downstream down": (
        _TABLE,
        _SOCKET,
        f"{_OUTAGE} {_FAULTS}test_every_queue_outlasts_an_outage_of_five_minutes",
        f"{_REFUSED} components/test_observability.py::test_a_reader_rings_while_half_of_the_time_is_left",
        _OUTLASTS,
        _OUTLASTS,
        _REPORT,
    ),
    "gone connection": (
        NOT_CONNECTED,
        f"{_A}test_socket.py::test_a_gone_connection_is_cleared_away_by_the_next_push",
        *[NOT_CONNECTED] * 5,
    ),
    "rotated secret": (
        f"handlers/test_authorizer.py::test_a_rotated_key_is_fetched_at_its_first_token {_ROTATED}",
        "handlers/test_authorizer.py::test_a_rotated_key_is_fetched_at_its_first_token",
        *[NO_SECRET] * 5,
    ),
    "cache down": (NO_CACHE,) * 7,
    "redrive": (
        "- the caller has the answer",
        "- the client has the answer",
        f"{_A}test_events_queues.py::test_an_order_that_nobody_could_place_is_placed_once_after_a_redrive",
        f"{_A}test_events_streams.py::test_a_batch_that_failed_by_no_fault_of_its_own_counts_once_after_a_redrive",
        f"{_A}test_events_files.py::test_an_upload_that_failed_by_no_fault_of_its_own_is_worked_on_after_a_redrive",
        f"{_A}test_events_topics.py::test_an_event_whose_function_failed_is_kept_and_done_after_a_redrive",
        f"{_A}test_events_schedules.py::test_a_run_that_failed_is_kept_with_its_input_and_done_after_a_redrive",
    ),
    "deployment": (
        _DEPLOYED,
        _DEPLOYED,
        _ALIAS,
        _ALIAS,
        _ALIAS,
        _ALIAS,
        "- a run is one call, of whichever version the alias names",
    ),
}
