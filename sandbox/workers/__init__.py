"""Forked Lambda environments for the sandbox: what runs a Python handler, and how it gets there.

Parent side (inside the emulator's process):
    seams          how MiniStack is changed: each spot named, guarded, warned about
    worker_seams   Python functions run in forked environments
    lambda_seams   refusals, metrics and ARNs of all functions
    custom_seams   surroundings and logs of Node.js and custom runtimes
    alias_seams    reserved concurrency behind an alias
    async_seams    attempts and destinations of asynchronous calls
    url_seams      who may call a function URL
    iam_seams      which right a call of Lambda needs
    signatures     Signature Version 4, recomputed from the request as it arrived
    transport_seams  loopback counts as TLS
    gateway_seams  what API Gateway makes of a function's answer
    rest_call_seams    what a REST API knows of a request: its id, identity sources, sizes
    rest_template_seams  mapping templates
    rest_access_seams  who may call a method, and what the gateway may do in a role
    http_api_seams  HTTP APIs: throttling, CORS, paths
    socket_seams   WebSocket APIs: handshakes, messages, replies
    matching_seams  what a request is compared with: models, ARNs, routes
    rights         what a service may do in a role
    graphql_seams  GraphQL APIs: who may ask, roles of sources, errors
    mapping_seams  event source mappings: what AWS refuses of one, what its filters let through
    queue_seams    queues: messages that stay in place while others come
    queue_batches  one mapping of a queue: batches, and what becomes of each message
    stream_seams   readers of streams side by side
    stream_batches  what becomes of a failing batch of a stream
    shards         one shard of a Kinesis stream, as one mapping reads it
    deliveries     what a service hands on: whether it may, and where the rest goes
    topic_seams    SNS: functions, queues, dead letters
    bus_seams      EventBridge: targets and dead letters; what S3 tells of objects
    schedule_seams  EventBridge Scheduler: when, in which role, and what becomes of a failure
    subscription_seams  CloudWatch Logs: functions that are told of log events
    log_patterns   filter patterns of log events
    trigger_seams  Cognito: the function that is called once a user is confirmed
    mail_seams     SES: what it refuses
    iot_seams      IoT: messages of devices that a rule puts into a stream
    clock_seams    schedules tick every second
    model_seams    AWS service models, read no further than needed
    reference_seams  the page that shows the API's document
    memory         freed blocks go back to the system
    records        between MiniStack's records and what follows
    addresses      variables under a domain of this sandbox lead to this machine
    refusals       functions that cannot run on this machine
    destinations   what is left of an asynchronous call, delivered
    functions      a function's configuration -> what an environment is made of
    pool           which environment serves which call
    environment    one execution environment, seen from outside
    archives       code and layers on disk, one folder per content
    journal        START, END and REPORT around what a handler logged
    nursery        the process that forks environments, seen from outside
Child side (standard library and the boto3 family only):
    zygote         the process that forks
    preload        what it loads before: boto3, models, one rehearsed call
    runtime        what a forked child does: load the handler, answer calls
    faults         the call at which a test wants an environment to fail
    context        the handler's second argument
    borders        connections to other machines are refused
    logs           the root log handler, text and JSON
    wire           frames between the two sides
"""
