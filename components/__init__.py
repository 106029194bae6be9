"""What a serverless application is made of. One file per idea:

place            partition, region, account and the name prefix of a stack
grants           rights and environment variables, as values
keys             DataKey: the one KMS key of a stack
tables           Table
buckets          Bucket
messaging        Queue (with its dead-letter queue) and Topic
secrets_manager  Secret: generated, never in code
packaging        handler archives
layers           Layer: dependencies, built for the target without Docker
function         ServerlessFunction: code, own role, own log group, alias
openapi          the API description, in the dialect API Gateway imports
api              ApiFront: REST API, stage, throttling, logs
events           EventTriggers: what starts which function
observability    alarms and the dashboard
tags             tags on everything
"""
