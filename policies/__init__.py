"""Rules over the resources a program registered: what AWS or a scanner would find only later.

A rule looks at plain data (type, name, properties), so the same rule runs in tests and in the sandbox.
"""

from __future__ import annotations

from policies.model import Finding, Registered, Rule, Stack

__all__ = ["Finding", "Registered", "Rule", "Stack"]
