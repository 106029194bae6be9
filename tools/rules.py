"""Rules between settings, in words: what the references say beside each key's own limits.

Every rule that a stack file is judged by has a row here, and its numbers are the ones it judges by.
"""

from collections.abc import Mapping
from typing import Final

from settings import (
    access_rules,
    code_rules,
    concurrency_rules,
    front_rules,
    function_rules,
    gate_rules,
    stack_rules,
    work_rules,
)
from settings.api import STAGE_VARIABLES
from settings.archives import BUILT, UNZIPPED, ZIPPED
from settings.function import ENVIRONMENT_BYTES, GIVEN_BYTES
from settings.function_code import MOST_LAYERS, SOURCES
from settings.runtimes import languages, snap_starting
from settings.stack_rules import FUNCTION_NAME, MOST_TAGS, NAME_LENGTH, OWN_TAGS, TAGS
from settings.wiring import (
    PROJECT,
    USER_POOL_CONSUMER,
    VERSION_CLEANER,
    WEBHOOK,
)
from tools.trigger_rules import OF_TRIGGERS, Rule
from tools.watch_rules import OF_WATCHING

_INLINE: Final = languages(lambda family: family.inline)
_WARM: Final = languages(lambda family: family.warms)
_BUFFERED: Final = languages(lambda family: not family.streams)
_ELSEWHERE: Final = languages(lambda family: not family.built_here)
_SOURCES: Final = ", ".join(f"`{key}`" for key in SOURCES)

OF_FUNCTIONS: Final[Mapping[Rule, tuple[str, str]]] = {
    function_rules.api_answers_in_time: (
        f"functions behind an API, and the authorizer: timeout at most {function_rules.API_TIMEOUT} seconds",
        "API Gateway answers 504 then",
    ),
    work_rules.sign_up_is_answered_in_time: (
        f"{USER_POOL_CONSUMER}: timeout at most {work_rules.SIGN_UP_TIMEOUT} seconds",
        "Cognito calls again then",
    ),
    work_rules.functions_outlast_their_calls: (
        f"{work_rules.FORWARDER}, {work_rules.PROBE}: timeout more than the `timeout_seconds` of `partner`, of `probe`",
        "they could not say what became of the call",
    ),
    work_rules.webhook_has_an_address: (
        f"`function_url` of {WEBHOOK} is not taken away",
        "nothing else starts it",
    ),
    function_rules.runtime_fits_handler: (
        "runtime of the handler's own family, and one that AWS still supports",
        "it would not start",
    ),
    function_rules.needed_functions_are_on: (
        "`enabled: false` for no function that a route or a trigger of the program needs",
        "it would lead nowhere",
    ),
    code_rules.one_source: (
        f"at most one of {_SOURCES}; keys of a source beside it; `s3_bucket` with `s3_key`",
        "code comes from one place",
    ),
    code_rules.built_elsewhere_says_where: (
        f"{_ELSEWHERE} functions exist once their entry names such a source",
        "the program does not build them",
    ),
    code_rules.files_are_there: (
        (
            f"`filename`: a .zip in the project, `source_dir`: a folder in it that holds built code and is not hidden (`{BUILT}` "
            f"aside); at most {ZIPPED} MB, {UNZIPPED} MB unzipped"
        ),
        "Lambda refuses more",
    ),
    code_rules.handlers_are_in_their_code: (
        (
            f"`handler` for {_INLINE}: `<module>.<function>`, its module in `source_dir`, `filename` or the function's own part "
            "of handlers/, unless `layers` may bring it"
        ),
        "the first call would find none",
    ),
    code_rules.inline_is_text_of_a_program: (
        f"`inline` for {_INLINE}, its handler `index.<function>`",
        "Lambda refuses others",
    ),
    code_rules.images_bring_everything: (
        "image functions: no handler, layers, SnapStart, code signing, `runtime` of their own or `update_runtime_on`",
        "the image says it; Lambda refuses it",
    ),
    code_rules.layers_fit: (
        f"at most {MOST_LAYERS} layers with the program's own, no layer in two versions",
        "Lambda refuses it",
    ),
    code_rules.signatures_can_be_kept: (
        "`code_signing` or `code_signing_config_arn`; Enforce only for code from `s3_bucket`, without layers of the program",
        "nothing else is signed",
    ),
    access_rules.everything_is_in_the_stacks_region: (
        "keys, layers, file systems, destinations, signing configuration and image in the stack's own region",
        "Lambda refuses others",
    ),
    access_rules.file_systems_have_a_network: (
        "`file_system_config` beside `vpc_config`",
        "EFS is reached through a network",
    ),
    access_rules.destinations_are_somewhere_else: (
        "`on_success`, `on_failure`: not the function itself",
        "Lambda refuses it",
    ),
    access_rules.destinations_are_outside_the_program: (
        "`dead_letter`, `on_success`, `on_failure`: no queue of the program itself",
        "its readers would take results for messages; failures go to its own queue anyway",
    ),
    access_rules.urls_are_for_whom_they_say: (
        (
            "function URL: NONE only where settings/wiring.py gives a reason, and without `principals`; RESPONSE_STREAM not for "
            f"{_BUFFERED}; no credentials with origin `*`"
        ),
        "everybody could call it; Lambda cannot; browsers refuse it",
    ),
    access_rules.tags_are_takable: (
        f"tags: as AWS has them, none of the program's own keys, at most {TAGS - len(OWN_TAGS)} with the stack's",
        f"AWS allows {TAGS}",
    ),
    function_rules.environment_size: (
        f"environment of a function at most {GIVEN_BYTES} bytes as JSON",
        f"Lambda allows {ENVIRONMENT_BYTES}; the program's own variables need some",
    ),
    function_rules.environment_names: (
        "no variable that Lambda reserves, that starts with `AWS_` (but `AWS_LAMBDA_EXEC_WRAPPER`, `AWS_XRAY_*`, `AWS_LWA_*`), or that a grant sets; no credential in its value",
        "Lambda refuses it, it would mislead the SDK, or others could read it",
    ),
    concurrency_rules.snap_start_is_possible: (
        (
            f"SnapStart: {snap_starting()}; without provisioned concurrency, file systems, /tmp above "
            f"{concurrency_rules.SNAP_START_STORAGE} MB"
        ),
        "Lambda refuses it",
    ),
    concurrency_rules.provisioned_fits_reserved: (
        "provisioned concurrency, also the most that scaling may make of it, at most the function's own reserved concurrency",
        "Lambda refuses more",
    ),
    concurrency_rules.concurrency_fits_account: (
        (
            "reserved, and provisioned without a reservation, at most `account_concurrent_executions` - "
            f"{concurrency_rules.UNRESERVED} in all"
        ),
        f"Lambda keeps {concurrency_rules.UNRESERVED}",
    ),
    concurrency_rules.scaling_starts_within_its_limits: (
        "scaling beside `provisioned_concurrent_executions`, which lies between its limits; a target or a timetable",
        "it starts from there",
    ),
    concurrency_rules.timetable_says_something: (
        "a scheduled action sets `min_capacity`, `max_capacity` or both, in order",
        "it would change nothing",
    ),
    concurrency_rules.warming_is_answered: (
        f"`warming_schedule` for {_WARM}, without provisioned concurrency",
        "others take it for work; that one is warm already",
    ),
}
"""Rule over functions -> what it asks for, and why."""

OF_THE_REST: Final[Mapping[Rule, tuple[str, str]]] = {
    **OF_TRIGGERS,
    **OF_WATCHING,
    function_rules.bytecode_is_of_the_runtimes_version: (
        "`packaging.compile` only where the Python that builds has the version of every Python function's runtime",
        "bytecode is of one version",
    ),
    code_rules.opencv_fits: (
        "`packaging.opencv` only while image-processor runs on arm64",
        f"the layer for x86_64 is larger than {ZIPPED} MB",
    ),
    stack_rules.cors_origins: (
        "origins of `api` and `http_api` exactly as browsers send them, none of them `*`; of `api` one at most",
        "any page could call otherwise; what a REST API answers by itself names a fixed one",
    ),
    stack_rules.tag_names: (
        f"at most {MOST_TAGS} tags, keys differing by more than case, none starting with `aws:`",
        f"AWS allows {TAGS}, IAM ignores case",
    ),
    stack_rules.stack_name: (
        (
            f"stack name: letters, digits, `-` and `_`; short enough for `{PROJECT}-<stack>-<function>` to have {NAME_LENGTH} "
            "characters"
        ),
        "Lambda refuses it",
    ),
    function_rules.cleaner_can_name_every_function: (
        f"functions few enough for the role of {VERSION_CLEANER} to name each, some fifty",
        f"IAM allows its policies {function_rules.ROLE_CHARACTERS} characters",
    ),
    stack_rules.images_outlive_versions: (
        "`keep_images` of a repository more than `versions_to_keep`",
        "a version stops without its image",
    ),
    stack_rules.function_names: (
        f"a function's own name at most {FUNCTION_NAME} characters",
        f"its role's name may have {NAME_LENGTH}",
    ),
    gate_rules.routes_are_the_programs: (
        "`routes` of `api` and `http_api` name routes of the program",
        "what is said of others would be forgotten",
    ),
    gate_rules.caches_hold_answers_of_get: (
        "`cache_ttl_in_seconds` for GET routes only, beside `cache_cluster_enabled`",
        "there is no cache without it, and changes are no answers to keep",
    ),
    gate_rules.stage_variables_are_takable: (
        (
            f"at most {STAGE_VARIABLES} stage variables, names and values as API Gateway has them; no credential in a value"
        ),
        "API Gateway refuses it; others could read it",
    ),
    gate_rules.quota_starts_within_its_period: (
        f"`quota_offset` at most {', '.join(f'{day} with {period}' for period, day in gate_rules.LATEST_START.items())}",
        "API Gateway refuses more",
    ),
    gate_rules.source_ranges_fit_the_policy: (
        f"`allow_source_ips` at most {gate_rules.RANGES_CHARACTERS} characters as JSON",
        f"API Gateway allows a resource policy {gate_rules.POLICY_CHARACTERS}",
    ),
    gate_rules.credentials_are_for_named_origins: (
        "`cors_allow_credentials` beside `cors_allow_origins`",
        "it would do nothing",
    ),
    gate_rules.apis_stay_reachable: (
        "`disable_execute_api_endpoint` beside `domain`",
        "nobody could reach the API",
    ),
    gate_rules.domains_can_be_shown_to_be_ours: (
        (
            "a `domain` names `certificate_arn`, `hosted_zone_id` or both; without the former it has at most "
            f"{gate_rules.COMMON_NAME} characters"
        ),
        "ACM makes a certificate once it finds a record, and for no longer name",
    ),
    gate_rules.domains_lead_to_one_api: (
        (
            "`api` and `http_api` on one `domain_name`: different `base_path`, otherwise the same; `socket` shares none"
        ),
        "API Gateway refuses it",
    ),
    gate_rules.certificates_are_in_the_stacks_region: (
        "certificates in the stack's own region",
        "API Gateway and load balancers refuse others",
    ),
    front_rules.refresh_tokens_outlive_the_others: (
        "refresh tokens longer valid than access and ID tokens",
        "Cognito refuses it",
    ),
    front_rules.threats_are_watched_by_plus: (
        "`threat_protection` other than OFF with `user_pool_tier: PLUS` only",
        "Cognito refuses it",
    ),
    front_rules.load_balancer_has_its_parts: (
        (
            f"an enabled load balancer has {front_rules.LEAST_SUBNETS} subnets or more, security groups and a certificate"
        ),
        "AWS refuses it, or it would not speak TLS",
    ),
}
"""Rule over everything else -> what it asks for, and why."""


def table(rules: Mapping[Rule, tuple[str, str]]) -> str:
    """Return rules as a table in Markdown."""
    rows = [f"| {wanted} | {why} |\n" for wanted, why in rules.values()]
    return "".join(["| rule | why |\n|---|---|\n", *rows])
