"""What a serverless application is made of. One file per idea:

place            partition, region, account and the name prefix of a stack
grants           rights and environment variables, as values
documents        JSON with Outputs in it
keys             DataKey: the one KMS key of a stack
tables           Table
buckets          Bucket
messaging        Queue, with its dead-letter queue
topics           Topic
streams          DataStream: Kinesis, and what devices send by AWS IoT
mail             Mail: the address that mail is sent from
secrets_manager  Secret: generated, never in code
sources          where a function's code comes from: an archive, S3, an image
packaging        handler archives, and the sources that a stack file names
layers           Layer: dependencies, built for the target without Docker
logs             log groups, encrypted and forgetting in time
function         ServerlessFunction: code, own role, own log group, alias
function_args    from settings to the raw function's arguments
function_outputs what a function says of itself
execution_role   what a role must allow because of how its function is set up
asynchronous     retries and destinations of asynchronous invocations
runtime_options  what Lambda keeps beside a function
code_signing     who may sign the code of a function
concurrency      provisioned concurrency and its scaling
urls             function URLs
schedules        Scheduler, and Warming: functions called before anybody needs them
versions         the right to remove old versions
repositories     Repository: container images
endpoints        method and path of a route, and what no route may be
routes           Route: one line per method and path of the REST API
authorizers      who may call a route of the REST API
integrations     what stands behind it: a function, a queue (Enqueue), the gateway itself (Fixed)
schemas          JSON schemas of bodies and answers
openapi          the API description, in the dialect API Gateway imports
method_settings  throttling, logs and cache of its stage and of single routes
usage            UsagePlan: the API key, and the plan that counts its calls
api              ApiFront: the REST API, its deployment, stage, permissions and logs
http_api         HttpApi and its routes
http_authorizers who may call a route of the HTTP API
socket_api       Socket: the WebSocket API, and the right to push; SocketRoutes: who hears it
gateway_calls    what API Gateway calls, and may call
service_roles    roles in which AWS services act
api_logs         what the stages of all APIs log
account_logs     the one role with which API Gateway writes logs
domains          names of our own for APIs: certificate, base path, DNS record
firewall         Firewall: a web ACL before the REST API
identity         Identity: the user pool and its client
load_balancer    LoadBalancer: functions behind an application load balancer
graphql          GraphQl: the AppSync API
events           EventTriggers: what starts which function
triggers         what a kind of trigger is, and what each is given
uploads          objects of a bucket as triggers
mappings         queues, changes of tables and data streams as triggers
subscriptions    topics and log lines as triggers, and who else hears a topic
buses            EventBridge: Bus, Rule, and events as triggers
patterns         what AWS would refuse of a filter
watching         what is watched, as data: metrics, alarms, graphs
watch            what is watched of each thing, under one name
watch_functions  of functions
watch_data       of queues, streams and tables
watch_apis       of the APIs
watch_fronts     of the fronts that are off by default
watch_service    of the service as a whole
api_requests     requests, whoever answers them: metrics and alarms
objectives       alarms from objectives: how fast they are used up
notices          the topics of alarms, one for each severity
observability    Observability: alarms, dashboard, and what else looks at the program
dashboard        the dashboard's body
insights         saved queries over the logs
tracing          which requests are traced
spending         the monthly budget
chat             alarms in a chat
log_destination  log lines, sent on to a central place
canary           Canary: a caller from outside
tags             tags on everything
"""
