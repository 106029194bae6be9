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
    subscription_seams  CloudWatch Logs: functions that are told of log events, conditions on fields
    log_patterns   filter patterns of log events
    metric_seams   CloudWatch metrics: put, listed, asked for
    metric_store   what was measured, summed up by time
    metric_statistics  statistics of such sums
    metric_math    expressions over metrics
    metric_functions  the functions in them
    metric_queries  metrics and expressions that name each other
    query_forms    CloudWatch's three protocols in one form
    lambda_metrics  what Lambda counts of calls
    measure_seams  where queues, topics, streams and log events are counted
    table_seams    where requests to tables are counted
    front_seams    where load balancers and GraphQL APIs are counted
    gateway_metrics  what API Gateway counts
    queue_metrics  what SQS counts, and what lies in its queues
    log_metrics    metrics out of log events
    fault_metrics  refusals that a test asked for, as the service counts them
    measured       which of AWS's metrics are counted here
    insights_seams  saved queries of Logs Insights
    alarm_seams    CloudWatch alarms: what is kept of one, what its topic is told
    alarm_states   the state of an alarm out of its data, and the reason in words
    alarm_watch    the thread that judges alarms
    trigger_seams  Cognito: the function that is called once a user is confirmed
    mail_seams     SES: what it refuses
    iot_seams      IoT: messages of devices that a rule puts into a stream
    trace_seams    X-Ray: who belongs to which trace, what Lambda records of it
    visit_seams    API Gateway's stages: traces and access logs
    clock_seams    schedules tick every second
    model_seams    AWS service models, read no further than needed
    reference_seams  the page that shows the API's document
    memory         freed blocks go back to the system
    traces         the tracing header, the documents of the latest traces
    trace_daemon   the address that functions send their segments to
    trace_segments  what Lambda and API Gateway record
    trace_queries  whole traces and summaries out of documents
    trace_filters  filter expressions of traces
    trace_api      the API of X-Ray
    visits         a request on its way through a stage
    access_logs    its line in the access log
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
