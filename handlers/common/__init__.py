"""What the functions share. Every archive carries this package whole; a module is paid for only by
those who import it.

http     requests, answers and problems of the REST API
bodies   JSON request bodies, read strictly
items    the item: validation, table row, answer
ids      time-ordered identifiers
cursor   signed page cursors
aws      clients with short timeouts, and which AWS errors are worth another try
warming  the event that keeps an execution environment initialised
deadline when a batch should begin no more work
secrets  Secrets Manager values, cached
logs     one JSON object per line on standard output
"""
