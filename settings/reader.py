"""From config text to a draft: which keys there are, what each says, what is merged from where."""

import difflib
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, cast

from settings import provider, raw, wiring
from settings.deliveries import RuleSettings, TopicSettings
from settings.draft import Draft
from settings.fields import Model
from settings.function import ADDED_UP, ONE_FUNCTIONS, FunctionSettings
from settings.images import RepositorySettings
from settings.mistakes import Mistake, Path, checked
from settings.runtimes import IMAGE
from settings.sections import SECTIONS
from settings.stack import TriggerSettings
from settings.text import refused, unknown
from settings.triggers import QueueSettings, ScheduleSettings, StreamSettings
from settings.whole import StackWide

NAMESPACE: Final = f"{wiring.PROJECT}:"

KEYS: Final = tuple(
    sorted((*SECTIONS, *StackWide.model_fields, "functions", "repositories", "triggers"))
)
"""The keys of a stack file, each behind `sandpiper:`."""

TRIGGERS: Final[Mapping[str, tuple[type[Model], tuple[str, ...]]]] = MappingProxyType(
    {
        "queues": (QueueSettings, tuple(wiring.QUEUE_CONSUMERS)),
        "streams": (StreamSettings, wiring.STREAM_READERS),
        "schedules": (ScheduleSettings, wiring.SCHEDULED),
        "topics": (TopicSettings, wiring.TOPICS),
        "rules": (RuleSettings, wiring.RULE_TARGETS),
    }
)
"""Group under `triggers` -> the model of its entries and their names."""

UNSAFE: Final = "holds a secret, and settings end up readable in the stack's state; keep it in Secrets Manager and remove it here"

_REMOVED: Final = object()


@dataclass
class Reader:
    """Reads each key once and gathers what is wrong with it."""

    values: Mapping[str, Any]
    secret: frozenset[str]
    mistakes: list[Mistake] = field(default_factory=list[Mistake])

    def draft(self, stack: str, families: Mapping[str, str], root: pathlib.Path) -> Draft:
        """Return what the file says, its refused values left at their defaults."""
        self._refuse_misspelt_keys()
        own = self._functions(families)
        triggers = self._triggers()
        wide = dict(self._wide())
        # Lines come in the order of reading.
        sections: dict[str, Any] = {
            key: self._section(key, model) for key, model in SECTIONS.items()
        }
        functions = {
            name: function
            for name, family in families.items()
            if exists(name, family, function := merged(name, family, own), sections)
        }
        return Draft(
            stack=stack,
            families=MappingProxyType(dict(families)),
            own=own,
            functions=MappingProxyType(functions),
            triggers=triggers,
            repositories=MappingProxyType(self._repositories(families)),
            region=str(self.values.get("aws:region") or ""),
            root=root,
            broken=self._broken(),
            **sections,
            **wide,
        )

    def _broken(self) -> frozenset[Path]:
        """Return the refused values, and the maps below a function or a section they went with."""
        found: set[Path] = set()
        for mistake in self.mistakes:
            path = mistake.path
            least = 3 if path[0] == "functions" else 2
            found.update(path[:end] for end in (len(path), *range(least, len(path))))
        return frozenset(found)

    def _refuse_misspelt_keys(self) -> None:
        """Pulumi takes any key of any namespace and says nothing; the program can see them all."""
        for name in sorted(self.values):
            if problem := provider.wrong_key(name) if not name.startswith(NAMESPACE) else "":
                self._refuse((name,), problem)
            elif name.startswith(NAMESPACE) and name.removeprefix(NAMESPACE) not in KEYS:
                self._refuse((name,), unknown("key", name.removeprefix(NAMESPACE), KEYS))
        if problem := provider.wrong_region(self.values.get("aws:region")):
            self._refuse(("aws:region",), problem)

    def _refuse(self, path: Path, text: str) -> None:
        self.mistakes.append(Mistake(path, text))

    def _get(self, key: str) -> Any:
        """Return a key's value without its secrets; None when it is not there."""
        if NAMESPACE + key in self.secret:
            self._refuse((key,), UNSAFE)
            return None
        value = raw.parsed(self.values.get(NAMESPACE + key))
        # A key without a value, its lines all commented out, arrives as empty text.
        found = None if value == "" else self._without_secrets(value, (key,))
        return None if found is _REMOVED else found

    def _without_secrets(self, value: Any, path: Path) -> Any:
        """Return a value less the entries that hold a secret anywhere, each of them refused."""
        if isinstance(value, list):
            return self._members(cast("list[Any]", value), path)
        if not isinstance(value, dict):
            return value
        pairs = cast("dict[str, Any]", value)
        if "secure" in pairs:
            self._refuse(path, UNSAFE)
            return _REMOVED
        found = {name: self._without_secrets(part, (*path, name)) for name, part in pairs.items()}
        return {name: part for name, part in found.items() if part is not _REMOVED}

    def _members(self, members: list[Any], path: Path) -> Any:
        found = [self._without_secrets(part, path) for part in members]
        return [part for part in found if part is not _REMOVED]

    def _map(self, value: Any, path: Path) -> dict[str, Any]:
        """Return a map's entries; an empty map for nothing, and for anything else after refusing it."""
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        if value is not None:
            self._refuse(path, refused("must be a map of keys", value))
        return {}

    def _section(self, key: str, model: type[Model]) -> Model:
        return checked(model, self._map(self._get(key), (key,)), (key,), self.mistakes)

    def _wide(self) -> StackWide:
        given = {key: self._get(key) for key in StackWide.model_fields}
        return checked(
            StackWide,
            {key: value for key, value in given.items() if value is not None},
            (),
            self.mistakes,
        )

    def _functions(self, families: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return what the file itself says of `defaults` and of each function."""
        own: dict[str, dict[str, Any]] = {"defaults": {}}
        for name, value in self._map(self._get("functions"), ("functions",)).items():
            path = ("functions", name)
            if name != "defaults" and name not in families:
                self._refuse(path, _no_function(name, families))
                continue
            function = checked(FunctionSettings, self._map(value, path), path, self.mistakes)
            own[name] = {key: getattr(function, key) for key in function.model_fields_set}
        for key in [key for key in ONE_FUNCTIONS if key in own["defaults"]]:
            del own["defaults"][key]
            self._refuse(
                ("functions", "defaults", key), "must be said of one function, by its name"
            )
        return own

    def _repositories(self, families: Mapping[str, str]) -> dict[str, RepositorySettings]:
        images = [name for name, family in families.items() if family == IMAGE]
        given = self._map(self._get("repositories"), ("repositories",))
        for name in given.keys() - set(images):
            self._refuse(("repositories", name), unknown("image function", name, images))
        return {
            name: checked(
                RepositorySettings,
                self._map(given[name], path := ("repositories", name)),
                path,
                self.mistakes,
            )
            for name in images
            if name in given
        }

    def _triggers(self) -> TriggerSettings:
        given = self._map(self._get("triggers"), ("triggers",))
        for group in given:
            if group not in TRIGGERS:
                self._refuse(("triggers", group), unknown("key", group, list(TRIGGERS)))
        groups: dict[str, Any] = {group: self._group(group, given.get(group)) for group in TRIGGERS}
        return TriggerSettings(**groups)

    def _group(self, group: str, given: Any) -> Mapping[str, Model]:
        model, known = TRIGGERS[group]
        entries = self._map(given, ("triggers", group))
        for name in entries:
            if name not in known:
                self._refuse(("triggers", group, name), _no_trigger(group, name, known))
        found = {
            name: checked(
                model,
                {
                    **trigger_baseline(group, name),
                    **self._map(entries.get(name), path := ("triggers", group, name)),
                },
                path,
                self.mistakes,
            )
            for name in known
        }
        return MappingProxyType(found)


def trigger_baseline(group: str, name: str) -> Mapping[str, Any]:
    """Return what the program itself says of one trigger."""
    said = {"streams": wiring.STREAM_BASELINE, "schedules": wiring.SCHEDULE_BASELINE}
    return said.get(group, {}).get(name, {})


def _no_trigger(group: str, name: str, known: Sequence[str]) -> str:
    if group == "streams" and name in wiring.STREAMS:
        return (
            f"no such stream; streams are named by the function that reads them: {', '.join(known)}"
        )
    return unknown(group[:-1], name, known)


def _no_function(name: str, families: Mapping[str, str]) -> str:
    """Return the text for a name that no handler has; it may be a key that stands beside `functions`."""
    [*near] = difflib.get_close_matches(name, KEYS, n=1, cutoff=0.8)
    if near and name not in {"function", "functions"}:
        return f"no such function; did you mean '{NAMESPACE}{near[0]}'?"
    return unknown("function", name, ["defaults", *families])


def merged(name: str, family: str, own: Mapping[str, Mapping[str, Any]]) -> FunctionSettings:
    """Return a function's settings: field defaults, then `defaults`, then the code's baseline, then its own entry.

    The maps of `ADDED_UP` are added up, the later ones winning by name; everything else is replaced.
    """
    layers: Sequence[Mapping[str, Any]] = (
        own["defaults"],
        wiring.baseline(name, family),
        own.get(name, {}),
    )
    values = {key: value for layer in layers for key, value in layer.items()}
    for added in ADDED_UP:
        values[added] = {
            key: text for layer in layers for key, text in layer.get(added, {}).items()
        }
    return FunctionSettings.model_validate(values)


def exists(name: str, family: str, function: FunctionSettings, sections: Mapping[str, Any]) -> bool:
    """Tell whether a function is created: not one that is switched off, nor one whose code is nowhere."""
    section, switch = wiring.SWITCHED.get(name, ("", ""))
    if section and not getattr(sections[section], switch):
        return False
    if name in wiring.WIRED:
        return True
    built = family not in wiring.BUILT_ELSEWHERE or function.code_source is not None
    return function.enabled and built
