"""Forked Lambda environments for the sandbox: what runs a Python handler, and how it gets there.

Parent side (inside the emulator's process):
    seams       where MiniStack is changed, each spot guarded by its signature
    functions   MiniStack's record of a function -> what an environment is made of
    pool        which environment serves which call
    environment one execution environment, seen from outside
    archives    code and layers on disk, one folder per content
    journal     START/END/REPORT lines and CloudWatch Logs events
    nursery     the process that forks environments, seen from outside
Child side (stdlib and the boto3 family only):
    zygote      the process that preloads boto3 and forks
    runtime     what a forked child does: load the handler, answer calls
    context     the handler's second argument
    logs        the root log handler, text and JSON
    wire        frames between the two sides
"""
