"""What one does to a running stack.

For the command line and for tests alike:
commands    the verbs of the command line
arguments   what each of them takes
targets     the queues, topics, buckets and functions of a stack by the names their users know
sending     events, put into the front door of each service
webhooks    a signed call of the webhook
ticking     a schedule, fired now
letters     what lies in the dead-letter queues, and why
redriving   back from a dead-letter queue to where it came from
injection   faults at a chosen call of a function
"""
