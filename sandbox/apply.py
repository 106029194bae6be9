"""Each registration of the program against what exists already: nothing, create, update, or a reason to start over."""

from __future__ import annotations

import hashlib
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox import secrecy
from sandbox.clients import Clients
from sandbox.faults import as_read, each_said, is_expected, is_missing
from sandbox.resources import INVOKES, REGISTRY, RETRY, Resource, ResourceType, RestartNeeded
from sandbox.state import Record, Remark, State
from sandbox.values import fingerprints, jsonable


class Stopped(Exception):
    """The run ends early; the reason lies in the engine."""


@dataclass(frozen=True)
class Registration:
    """A resource as the program declared it. `where` is its file and line, `ignore` its ignored changes, `uses`
    the resources whose outputs went into each input.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    where: str
    protect: bool = False
    retain: bool = False
    ignore: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """`Table 'items'`."""
        return f"{self.type.rpartition(':')[2]} '{self.name}'"


def _nobody(_what: str, _registration: Registration) -> None:
    """Nobody listens."""


@dataclass
class Engine:
    """Applies one run of the program; its methods are called from many threads.

    `say` gets (what, registration) for each resource: created, updated, unchanged. `strict` makes an unread input an
    error. After the run: `counts`, `failures` (lines for the user), `restart` (why the sandbox must start over),
    `registered` by URN, `invoked`: lookups that have no real answer. While it runs, `under_way` is being made.
    """

    aws: Clients
    state: State
    strict: bool = False
    say: Callable[[str, Registration], object] = _nobody
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("created", "updated", "deleted", "same"), 0)
    )
    failures: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    restart: str | None = None
    registered: dict[str, Registration] = field(default_factory=dict)
    invoked: dict[str, str] = field(default_factory=dict)
    under_way: dict[str, Registration] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def register(self, wanted: Registration) -> tuple[dict[str, Any], frozenset[str]]:
        """Make it so, and answer the outputs (with "id") and which of them are secret.

        Raises `Stopped` where the run has failed, here or elsewhere.
        """
        self._claim(wanted)
        self.under_way[wanted.urn] = wanted
        try:
            return self._apply(wanted)
        except Stopped:
            raise
        except RestartNeeded as reason:
            self._start_over(f"{wanted.title}: {reason}")
        except Exception as error:  # noqa: BLE001 whatever a service file raises is this resource's failure
            self._fail(wanted, error)
        finally:
            del self.under_way[wanted.urn]
        raise Stopped

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a provider's function; an unknown one answers its own arguments and is listed."""
        answer = INVOKES.get(token)
        if answer is None:
            self.invoked[token] = "no answer is known for this lookup: it got its arguments back"
            return {"id": token.rpartition(":")[2], **args}
        return answer(self.aws, args)

    def touch(self, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Apply new inputs to one resource of the last run, outside a run of the program; answers its outputs."""
        new = replace(self.registered[urn], inputs=inputs)
        outputs, _ = self._apply(new)
        self.registered[urn] = new
        return outputs

    def finish(self) -> None:
        """Delete what the program no longer declares, the last made first; a protected resource stops it."""
        gone = [(urn, r) for urn, r in self.state.resources.items() if urn not in self.registered]
        for urn, record in sorted(gone, key=lambda pair: -pair[1].order):
            if record.protect:
                title = f"{record.type.rpartition(':')[2]} '{record.name}'"
                self.failures.append(
                    f"{title} is protected and no longer declared: set protect=False, run `up`, then remove it"
                )
                continue
            try:
                self._delete(urn, record)
            except RestartNeeded as reason:
                self.restart = str(reason)
                return

    def _claim(self, wanted: Registration) -> None:
        with self._lock:
            if self.failures or self.restart:
                raise Stopped
            if wanted.urn in self.registered:
                first, again = as_read(self.registered[wanted.urn].where, wanted.where)
                self.failures.append(
                    f"{again}: {wanted.title}: duplicate resource name, first used at {first}; give each its own"
                )
                raise Stopped
            self.registered[wanted.urn] = wanted
            for alias in wanted.aliases:
                if alias in self.state.resources and wanted.urn not in self.state.resources:
                    self.state.resources[wanted.urn] = self.state.resources.pop(alias)

    def _apply(self, wanted: Registration) -> tuple[dict[str, Any], frozenset[str]]:
        old = self.state.resources.get(wanted.urn)
        kind = REGISTRY.get(wanted.type) or _unknown(wanted.type)
        prints = fingerprints(wanted.inputs, self.aws.seed)
        changed = _changed(old, prints) - wanted.ignore if old and not old.half_made else set()
        r = Resource(
            wanted.type,
            wanted.name,
            wanted.urn,
            wanted.inputs,
            self.aws,
            old.outputs if old and not old.half_made else None,
            frozenset(changed),
            wanted.secrets,
        )
        what, outputs = self._make(kind, r, old, changed)
        if what != "same":
            self._check_unread(kind, r)
        self._record(wanted, kind, r, prints, outputs, what)
        secret = wanted.secrets | kind.secret_outputs
        return jsonable(outputs), secret

    def _make(
        self, kind: ResourceType, r: Resource, old: Record | None, changed: set[str]
    ) -> tuple[str, dict[str, Any]]:
        if old is None:
            return "created", kind.create(r)
        if old.half_made:
            return "created", self._create_again(kind, r)
        if not changed:
            return "same", {**old.outputs, **(kind.recall(r) if kind.recall else {})}
        update = kind.update or (kind.create if kind.not_simulated else None)
        if update is None:
            raise RestartNeeded(f"{', '.join(sorted(changed))} cannot change in place")
        return "updated", update(r)

    def _create_again(self, kind: ResourceType, r: Resource) -> dict[str, Any]:
        try:
            return kind.create(r)
        except Exception as error:
            if hasattr(error, "response"):
                raise RestartNeeded("the last run left it half made") from None
            raise

    def _check_unread(self, kind: ResourceType, r: Resource) -> None:
        if self.strict and not kind.not_simulated and (names := _unread(kind, r)):
            raise ValueError(f"the sandbox does not know what to do with {', '.join(names)}")

    def _record(
        self,
        wanted: Registration,
        kind: ResourceType,
        r: Resource,
        prints: dict[str, str],
        outputs: Mapping[str, Any],
        what: str,
    ) -> None:
        old = self.state.resources.get(wanted.urn)
        remarks = old.remarks if old and what == "same" else _remarks(kind, r)
        kept = (
            old.outputs
            if old and what == "same"
            else secrecy.open_outputs(outputs, wanted.inputs, wanted.secrets, kind.secret_outputs)
        )
        with self._lock:
            self.counts[what] += 1
            order = sum(self.counts.values())
            self.state.resources[wanted.urn] = Record(
                wanted.type,
                wanted.name,
                wanted.where,
                prints,
                kept,
                order,
                wanted.protect,
                wanted.retain,
                remarks=remarks,
            )
        self.say(what, wanted)

    def _delete(self, urn: str, record: Record) -> None:
        kind = REGISTRY.get(record.type) or _unknown(record.type)
        r = Resource(record.type, record.name, urn, {}, self.aws, record.outputs)
        wanted = Registration(urn, record.type, record.name, {}, frozenset(), record.where)
        # What is half made has no outputs to find it by; nothing can name what may be left of it.
        if not (record.retain or record.half_made or kind.not_simulated):
            if kind.delete is None:
                raise RestartNeeded(f"{wanted.title} cannot be removed in place")
            try:
                kind.delete(r)
            except RestartNeeded as reason:
                raise RestartNeeded(f"{wanted.title}: {reason}") from None
            except Exception as error:  # noqa: BLE001 whatever a service file raises is this resource's failure
                if not is_missing(error):
                    self._fail(wanted, error)
                    return
        del self.state.resources[urn]
        self.counts["deleted"] += 1
        self.say("deleted", wanted)

    def _start_over(self, reason: str) -> None:
        with self._lock:
            self.restart = self.restart or reason

    def _fail(self, wanted: Registration, error: Exception) -> None:
        said = each_said(error)
        if not is_expected(error):
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"(in the sandbox: {last.name}, line {last.lineno})"
            said = [f"{type(error).__name__}: {text} {where}" for text in said]
        trace = "".join(traceback.format_exception(error))
        *said, trace = (
            secrecy.masked(text, wanted.inputs, wanted.secrets) for text in (*said, trace)
        )
        with self._lock:
            self.failures += [f"{wanted.where}: {wanted.title}: {text}" for text in said]
            self.traces.append(trace)
            old = self.state.resources.get(wanted.urn)
            if old is None:
                self.state.resources[wanted.urn] = Record(
                    wanted.type, wanted.name, wanted.where, half_made=True
                )


def _changed(old: Record, prints: Mapping[str, str]) -> set[str]:
    again = set(old.outputs.get(RETRY) or ())
    return again | {
        key for key in old.prints.keys() | prints.keys() if old.prints.get(key) != prints.get(key)
    }


def _unread(kind: ResourceType, r: Resource) -> list[str]:
    return sorted(set(r.unread()) - kind.ignored.keys())


def _remarks(kind: ResourceType, r: Resource) -> list[Remark]:
    """What the user must know of this resource: where the sandbox does less, or more, than AWS."""
    if kind.not_simulated:
        return [("not simulated", kind.not_simulated)]
    ignored = [(key, why) for key, why in kind.ignored.items() if r.inputs.get(key) is not None]
    return [
        *(("not simulated", text) for text in r.notes),
        *(("ignored", f"{key}: {why}") for key, why in ignored),
        *(("unread", name) for name in _unread(kind, r)),
        *(("compat", text) for text in r.compat),
    ]


def _unknown(token: str) -> ResourceType:
    """A type that the sandbox has never heard of: it gets plausible outputs, and the user is told."""

    def plausible(r: Resource) -> dict[str, Any]:
        mark = hashlib.sha256(r.urn.encode()).hexdigest()[:7]
        service = token.partition(":")[2].partition("/")[0]
        name = f"{r.name}-{mark}"
        arn = f"arn:aws:{service}:{r.aws.region}:{r.aws.account}:{name}"
        return {"id": name, "arn": arn, **({} if "name" in r.inputs else {"name": name})}

    return ResourceType(token, plausible, None, None, {}, f"the sandbox does not know {token}")
