"""What a serverless application is made of. One file per idea:

place            partition, region, account and the name prefix of a stack
grants           rights and environment variables, as values
keys             DataKey: the one KMS key of a stack
tables           Table
buckets          Bucket
messaging        Queue (with its dead-letter queue) and Topic
secrets_manager  Secret: generated, never in code
sources          where a function's code comes from: an archive, S3, an image
packaging        handler archives, and the sources that a stack file names
layers           Layer: dependencies, built for the target without Docker
function         ServerlessFunction: code, own role, own log group, alias
function_args    from settings to the raw function's arguments
function_outputs what a function says of itself
execution_role   what a role must allow because of how its function is set up
asynchronous     retries and destinations of asynchronous invocations
code_signing     who may sign the code of a function
concurrency      provisioned concurrency and its scaling
urls             function URLs
schedules        Scheduler, and Warming: functions called before anybody needs them
versions         the right to remove old versions
repositories     Repository: container images
openapi          the API description, in the dialect API Gateway imports
api              ApiFront: REST API, stage, throttling, logs
events           EventTriggers: what starts which function
observability    alarms and the dashboard
tags             tags on everything
"""
