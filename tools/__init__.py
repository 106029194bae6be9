"""Tools for developers and operators, run as `python -m tools.<name>`."""
