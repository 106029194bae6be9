"""Rules between settings, in words: what the references say beside each key's own limits."""

from typing import Final

OF_FUNCTIONS: Final = """| rule | why |
|---|---|
| functions behind the API, and the authorizer: timeout at most 29 seconds | API Gateway answers 504 then |
| runtime of the handler's own family, and one that AWS still supports | it would not start |
| `enabled: false` for no function that a route or a trigger of the program needs | it would lead nowhere |
| what says something of one function (its code, handler, role, URL, description, `enabled`) not in `defaults` | it can hold for one only |
| at most one of `source_dir`, `filename`, `inline`, `s3_bucket`, `image_uri`; keys of a source beside it; `s3_bucket` with `s3_key` | code comes from one place |
| Java, .NET, Ruby, Rust, PHP and image functions exist once their entry names such a source | the program does not build them |
| `filename`: a .zip in the project, at most 50 MB, 250 MB unpacked; `source_dir`: a folder that holds built code | Lambda refuses more |
| `inline` for Python and Node.js, its handler `index.<function>` | Lambda refuses others |
| image functions: no handler, layers, SnapStart, code signing, `runtime` of their own or `update_runtime_on` | the image says it; Lambda refuses it |
| at most 5 layers with the program's own, no layer in two versions | Lambda refuses it |
| keys, layers, file systems, destinations, signing configuration and image in the stack's own region | Lambda refuses others |
| `code_signing` or `code_signing_config_arn`; Enforce only for code from `s3_bucket`, without layers of the program | nothing else is signed |
| environment of a function at most 3072 bytes as JSON | Lambda allows 4096; the program's own variables need some |
| no variable that Lambda reserves, that starts with `AWS_`, or that a grant sets | Lambda refuses it, or it would mislead the SDK |
| tags: as AWS has them, none of the program's own keys, at most 44 with the stack's | AWS allows 50 |
| `file_system_config` beside `vpc_config` | EFS is reached through a network |
| SnapStart: Python 3.12 and later, Java 11 and later, .NET; without provisioned concurrency, file systems, /tmp above 512 MB | Lambda refuses it |
| provisioned concurrency, also the most that scaling may make of it, at most the function's own reserved concurrency | Lambda refuses more |
| reserved, and provisioned without a reservation, at most `account_concurrent_executions` - 100 in all | Lambda keeps 100 |
| scaling beside `provisioned_concurrent_executions`, which lies between its limits; a target or a timetable | it starts from there |
| `warming_schedule` for Python, Node.js and Go, without provisioned concurrency | others take it for work; that one is warm already |
| `on_success`, `on_failure`: not the function itself | Lambda refuses it |
| function URL: NONE only where settings/wiring.py gives a reason, and without `principals`; RESPONSE_STREAM not for Python, Java, .NET and Ruby; no credentials with origin `*` | everybody could call it; Lambda cannot; browsers refuse it |
"""

OF_THE_REST: Final = """| rule | why |
|---|---|
| a queue's visibility timeout at least its consumer's timeout; a warning below 6 times that plus the window | Lambda refuses less |
| `batch_size` above 10 needs a batching window of 1 second or more | Lambda refuses it |
| a queue's `maximum_concurrency` at most its consumer's reserved concurrency | messages would be throttled |
| `message_retention_seconds` more than visibility timeout times `max_receive_count` | messages would expire unnoticed |
| `dead_letter_retention_seconds` at least `message_retention_seconds` | age counts from the first sending |
| `packaging.compile` only where the Python that builds has the version of every Python function's runtime | bytecode is of one version |
| `evaluation_periods` times `period` at most a day, a week with periods of an hour or more | CloudWatch refuses more |
| at most 40 tags, keys differing by more than case, none starting with `aws:` | AWS allows 50, IAM ignores case |
| stack name: letters, digits, `-` and `_`; short enough for `sandpiper-<stack>-<function>` to have 64 characters | Lambda refuses it |
"""
