"""What the functions share. Every archive carries this package whole; a module is paid for only by
those who import it.

http     requests, answers and problems of the APIs
caller   who asks, whichever API and authorizer found it out
bodies   JSON request bodies, read strictly
decimals JSON with Decimals, for answers that hold one
fields   members of a body, checked one by one
answers  answers against the API's description, where a stack asks for it
items    the item: validation, table row, answer
connections  open WebSockets and their topics
idempotency  requests that are done once, however often they arrive
ids      time-ordered identifiers
cursor   signed page cursors
aws      clients with short timeouts, and which AWS errors are worth another try
push     messages to WebSocket connections
records  events by what sends them; a foreign one is an error
bus      what happened, for the application's event bus
diff     what changed between two images of a row
attributes  plain values as DynamoDB's attributes
state    rows of the state table, changed by one at a time
reports  what reports are about, as CSV and PDF
pdf      a table as a PDF file
queues   batches of which each message fails alone, and when it comes back
once     work that is done once for a key (Powertools)
orders   the order: message, table row, states, what is told of it
conditions  writes that met another row
mail     e-mail by SES, and which refusals are final
webhooks signatures of Standard Webhooks
outbound calls of a stranger's HTTP API that cannot be turned against our network
circuit  a circuit breaker shared by all environments
warming  the event that keeps an execution environment initialised
deadline when a batch should begin no more work
jitter   pauses between attempts, shorter by chance
secrets  Secrets Manager values, cached
logs     one JSON object per line on standard output
redaction  secrets and personal data, blotted out of lines and traces
correlation  one id for a request and for all that it causes
metrics  business metrics, written as log lines
tracing  steps of the work as X-Ray's subsegments
segments  these subsegments, sent to X-Ray's daemon
segments_aws  calls of AWS as such
uploads  uploaded objects: their keys, and results that a later event replaces, never an earlier one
pictures what is accepted as a picture, and what is made of one
imports  rows of CSV and JSON files as items, read in bounded memory
loading  the same rows put into the table, each of them once
documents  texts: their encoding, their normal form, what they count
"""
