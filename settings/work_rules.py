"""Rules over telemetry, mail, the partner and the probe, and over the functions that wait for them."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from settings import wiring
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.outside import is_public
from settings.text import refused

SIGN_UP_TIMEOUT: Final = 5
"""Seconds that Cognito waits for a function. Source: Cognito developer guide, Lambda triggers."""

FORWARDER: Final = "order-forwarder"
PROBE: Final = "network-probe"


def shards_are_of_a_provisioned_stream(draft: Draft) -> Iterator[Mistake]:
    """AWS counts the shards of an on-demand stream itself."""
    telemetry = draft.telemetry
    if telemetry.stream_mode == "ON_DEMAND" and "shard_count" in telemetry.model_fields_set:
        what = "must be left out where stream_mode is ON_DEMAND"
        because = (("telemetry", "stream_mode"),)
        line = refused(what, telemetry.shard_count)
        yield Mistake(("telemetry", "shard_count"), line, because=because)


def devices_publish_to_a_stream(draft: Draft) -> Iterator[Mistake]:
    """The rule for devices has nowhere to put anything without the stream."""
    if draft.telemetry.iot_rule_enabled and not draft.telemetry.enabled:
        what = "must be false where enabled is false: there is no stream to put messages into"
        because = (("telemetry", "enabled"),)
        yield Mistake(("telemetry", "iot_rule_enabled"), refused(what, given=True), because=because)


def identities_are_of_an_address(draft: Draft) -> Iterator[Mistake]:
    """What is verified is the sender's address."""
    if draft.mail.create_identity and draft.mail.from_address is None:
        what = "must be given where create_identity is true"
        yield Mistake(("mail", "from_address"), what, because=(("mail", "create_identity"),))


def partner_is_public(draft: Draft) -> Iterator[Mistake]:
    """A function must not be talked into calling what only its own network reaches."""
    partner, path = draft.partner, ("partner", "url")
    if partner.url is None or partner.private_network:
        return
    parts = urlsplit(partner.url)
    because, remedy = (("partner", "private_network"),), "or set partner.private_network"
    if parts.scheme != "https":
        yield Mistake(path, refused("must be https", parts.scheme, remedy), because=because)
    elif not is_public(parts.hostname or ""):
        what = "must be a host that is reached from anywhere"
        yield Mistake(path, refused(what, parts.hostname, remedy), because=because)


def functions_outlast_their_calls(draft: Draft) -> Iterator[Mistake]:
    """A function that is ended while it waits cannot say what became of the call."""
    waits = {
        FORWARDER: ("partner", draft.partner.timeout_seconds),
        PROBE: ("probe", draft.probe.timeout_seconds),
    }
    for name, (section, wait) in waits.items():
        function = draft.functions.get(name)
        if function and function.timeout <= wait:
            what = f"must be more than {section}.timeout_seconds, {wait}, for {name}"
            because = ((section, "timeout_seconds"),)
            yield Mistake(
                draft.origin(name, "timeout"), refused(what, function.timeout), because=because
            )


def sign_up_is_answered_in_time(draft: Draft) -> Iterator[Mistake]:
    """Cognito calls again after 5 seconds, and fails the confirmation at the third time."""
    name = wiring.USER_POOL_CONSUMER
    function = draft.functions.get(name)
    if function and function.timeout > SIGN_UP_TIMEOUT:
        what = f"must be 1 to {SIGN_UP_TIMEOUT} seconds for {name}, which Cognito waits for"
        yield Mistake(draft.origin(name, "timeout"), refused(what, function.timeout))


def webhook_has_an_address(draft: Draft) -> Iterator[Mistake]:
    """Nothing else starts it."""
    function = draft.functions.get(wiring.WEBHOOK)
    if function and function.function_url is None:
        what = f"must be a map for {wiring.WEBHOOK}, which is called at its URL only"
        yield Mistake(draft.origin(wiring.WEBHOOK, "function_url"), refused(what, None))


def probe_is_in_a_network(draft: Draft) -> Iterator[Mistake]:
    """What the probe tries is reached from inside a network, or the probe would prove nothing."""
    function = draft.functions.get(PROBE)
    if function and function.vpc_config is None:
        what = f"must stand beside functions.{PROBE}.vpc_config: the host is tried from inside a network"
        because = (draft.origin(PROBE, "vpc_config"),)
        yield Mistake(("probe", "host"), what, because=because)


RULES: Final = (
    sign_up_is_answered_in_time,
    functions_outlast_their_calls,
    webhook_has_an_address,
    shards_are_of_a_provisioned_stream,
    devices_publish_to_a_stream,
    identities_are_of_an_address,
    partner_is_public,
    probe_is_in_a_network,
)
