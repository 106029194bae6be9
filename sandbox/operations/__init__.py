"""What one does to a running stack.

For the command line and for tests alike:
verbs       Operations: each of them as a method, of `Box` and for the command line
commands    the verbs of the command line
arguments   what each of them takes
targets     the queues, topics, buckets and functions of a stack by the names their users know
sending     events, put into the front door of each service
checking    what services refuse of them
webhooks    a signed call of the webhook
ticking     a schedule, fired now
mails       what functions sent by mail
letters     what lies in the dead-letter queues
reasons     why, as far as logs tell
redriving   back from a dead-letter queue to where it came from, or away for good
peeking     what the emulator holds, looked at
replays     what never reached its function or target, done again
devices     what a rule over devices did not put into its stream, put there
alarming    the alarms and their states
measuring   what was measured lately
tracing     what requests did, as trees
watching    what the commands print of these three
injection   faults at a chosen call of a function
"""
