"""Rules over where a function's code comes from, the layers beside it and the signatures on it."""

from collections.abc import Iterator
from typing import Final

from settings import archives, wiring
from settings.draft import Draft
from settings.function import FunctionSettings
from settings.function_code import MOST_LAYERS, SOURCES
from settings.mistakes import Mistake, Path
from settings.runtimes import FAMILIES, IMAGE, Family, languages
from settings.text import refused

BESIDE: Final = {
    "s3_bucket": "s3_key",
    "s3_key": "s3_bucket",
    "s3_object_version": "s3_bucket",
    "source_code_hash": "s3_bucket",
    "image_config": "image_uri",
}
"""Keys of a function's own entry -> what must stand beside each."""


_SEEN: Final = (None, "source_dir", "filename")
"""Sources whose files lie in the project."""


def is_image(function: FunctionSettings) -> bool:
    """Tell whether a function runs as a container image."""
    return function.image_uri is not None


def one_source(draft: Draft) -> Iterator[Mistake]:
    """Code comes from one place, and what says more of a place stands beside it."""
    for name, function in draft.functions.items():
        first, *others = [key for key in SOURCES if getattr(function, key) is not None] or [""]
        for key in others:
            what = f"must be left out beside {first}: code comes from one place"
            yield Mistake(draft.origin(name, key), what, because=(draft.origin(name, first),))
        for key, other in BESIDE.items():
            if getattr(function, key) is not None and getattr(function, other) is None:
                yield Mistake(
                    draft.origin(name, key),
                    f"must stand beside {other}",
                    because=(draft.origin(name, other),),
                )


def built_elsewhere_says_where(draft: Draft) -> Iterator[Mistake]:
    """A function that is asked for by name, and whose code is nowhere, would be left out without a word."""
    for name, own in draft.own.items():
        family = draft.families.get(name, "")
        if own.get("enabled") and family in wiring.BUILT_ELSEWHERE and name not in draft.functions:
            what = f"must stand beside {_sources(family)}: the program does not build {family} functions"
            sources = tuple(draft.origin(name, key) for key in SOURCES)
            yield Mistake(("functions", name, "enabled"), what, because=sources)


def advice(draft: Draft) -> Iterator[Mistake]:
    """Yield the entries of functions that do not exist, for want of code or of what switches them on."""
    for name, own in draft.own.items():
        family = draft.families.get(name, "")
        if own and "enabled" not in own and name not in draft.functions and family:
            switch = ".".join(wiring.SWITCHED.get(name, ()))
            until = f"{switch} is set" if switch else f"{_sources(family)} says where its code is"
            what = f"is off until {until}; what stands here has no effect"
            yield Mistake(("functions", name), what)


def _sources(family: str) -> str:
    """Return the keys that may say where the code of such a function is."""
    return "image_uri" if family == IMAGE else "filename, s3_bucket or source_dir"


def inline_is_text_of_a_program(draft: Draft) -> Iterator[Mistake]:
    """Lambda gets an inline text as index.py or index.mjs."""
    for name, function in draft.functions.items():
        if function.inline is None:
            continue
        family = draft.families[name]
        if not FAMILIES[family].inline:
            text = languages(lambda known: known.inline)
            what = f"must be left out for {name}, whose handler is {family}: only {text} are text"
            yield Mistake(draft.origin(name, "inline"), what)
        elif function.handler is not None and not function.handler.startswith("index."):
            what = f"must be index.<function> for {name}, whose code is inline"
            yield Mistake(draft.origin(name, "handler"), refused(what, function.handler))


def files_are_there(draft: Draft) -> Iterator[Mistake]:
    """A folder or archive is part of the project, and small enough for Lambda."""
    for name, function in draft.functions.items():
        for key, problem in _wrong_files(draft, name, function):
            yield Mistake(draft.origin(name, key), problem)


def _wrong_files(draft: Draft, name: str, function: FunctionSettings) -> Iterator[tuple[str, str]]:
    """Yield each key that names no code Lambda would take, and why not."""
    if function.filename is not None and (
        problem := archives.wrong_archive(draft.root, function.filename)
    ):
        yield "filename", problem
    if function.source_dir is not None:
        family = FAMILIES[draft.families[name]]
        marker = family.marker if family.compiled else ""
        if problem := archives.wrong_folder(draft.root, function.source_dir, marker):
            yield "source_dir", problem


def handlers_are_in_their_code(draft: Draft) -> Iterator[Mistake]:
    """Lambda would look for the handler's module with the first call only, and find none."""
    for name, function in draft.functions.items():
        family = FAMILIES[draft.families[name]]
        # What is stored elsewhere cannot be seen from here, and a layer may bring the handler.
        if not family.modules or function.layers or function.code_source not in _SEEN:
            continue
        problem = _wrong_handler(draft, name, function, family)
        if problem and not any(_wrong_files(draft, name, function)):
            because = tuple(draft.origin(name, key) for key in SOURCES)
            yield Mistake(draft.origin(name, "handler"), problem, because=because)


def _wrong_handler(draft: Draft, name: str, function: FunctionSettings, family: Family) -> str:
    own = name.replace("-", "_")
    given = function.handler or family.handler.format(module=own)
    module = family.module_of(given)
    source = function.source_dir or function.filename
    if not module:
        return refused(f"must be <module>.<function> for {name}, in {family.language}", given)
    if source is None and not family.marker:
        what = f"must be {own}.<function> for {name}, whose code is handlers/{own}.py"
        found = module.partition("/")[0] in (own, wiring.SHARED)
        return "" if found else refused(what, given)
    where = source or f"{wiring.HANDLERS.name}/{own}"
    if function.handler is None and source is None:
        return ""  # it is what tells that there is a function
    if archives.holds(draft.root, where, module, family.modules):
        return ""
    what = f"must name a module of {where} for {name}: there is no {module}{family.modules[0]}"
    return refused(what, given)


def images_bring_everything(draft: Draft) -> Iterator[Mistake]:
    """What AWS refuses beside an image, and what an image makes meaningless."""
    for name, function in draft.functions.items():
        source = function.code_source
        if draft.families[name] == IMAGE and source not in (None, "image_uri"):
            what = f"must be image_uri for {name}, whose handler is a Dockerfile"
            yield Mistake(draft.origin(name, str(source)), what)
        if not is_image(function):
            continue
        for key in _beside_image(draft, name, function):
            what = f"must be left out for {name}, which is a container image"
            yield Mistake(draft.origin(name, key), what, because=(draft.origin(name, "image_uri"),))


def _beside_image(draft: Draft, name: str, function: FunctionSettings) -> Iterator[str]:
    """Yield the keys that say something an image says itself."""
    for key in ("layers", "snap_start", "code_signing", "code_signing_config_arn"):
        if getattr(function, key):
            yield key
    if function.update_runtime_on != "Auto":
        yield "update_runtime_on"
    # A runtime from `defaults` is meant for the others, and a handler of the program's own for its own code.
    for key in ("handler", "runtime"):
        if draft.own.get(name, {}).get(key) is not None:
            yield key


def layers_fit(draft: Draft) -> Iterator[Mistake]:
    """Lambda takes five layers, and no layer twice."""
    for name, function in draft.functions.items():
        own = wiring.own_layers(name, draft.families[name], opencv=draft.packaging.opencv)
        given = len(function.layers)
        if not is_image(function) and given and own + given > MOST_LAYERS:
            what = (
                f"must be at most {MOST_LAYERS - own} layers for {name}: Lambda takes {MOST_LAYERS}, and the program "
                f"adds {own}"
            )
            because = (("packaging", "opencv"),)
            yield Mistake(draft.origin(name, "layers"), refused(what, given), because=because)
        seen: set[str] = set()
        for index, layer in enumerate(function.layers):
            bare = layer.rpartition(":")[0]
            if bare in seen:
                what = "must be another layer: one version of it is named already"
                yield Mistake((*draft.origin(name, "layers"), str(index)), what)
            seen.add(bare)


def signatures_can_be_kept(draft: Draft) -> Iterator[Mistake]:
    """Enforce lets nothing pass that is not signed: neither what is uploaded from here nor the program's own layers."""
    for name, function in draft.functions.items():
        signing = function.code_signing
        if signing is None or is_image(function):
            continue
        if function.code_signing_config_arn is not None:
            what = "must be left out beside code_signing"
            yield Mistake(draft.origin(name, "code_signing_config_arn"), what)
        if signing.untrusted_artifact_on_deployment == "Enforce" and (
            why := _unsigned(draft, name, function)
        ):
            path: Path = (*draft.origin(name, "code_signing"), "untrusted_artifact_on_deployment")
            yield Mistake(path, refused(f"must be Warn for {name}: {why}", "Enforce"))


def _unsigned(draft: Draft, name: str, function: FunctionSettings) -> str:
    if function.s3_bucket is None:
        return "only code from s3_bucket can be signed"
    if wiring.own_layers(name, draft.families[name], opencv=draft.packaging.opencv):
        return "the program's own layers are not signed"
    return ""


def opencv_fits(draft: Draft) -> Iterator[Mistake]:
    """OpenCV's wheel for x86_64 is larger than Lambda takes in a direct upload."""
    name = wiring.UPLOAD_CONSUMER
    if draft.packaging.opencv and draft.functions[name].architecture == "x86_64":
        yield Mistake(
            ("packaging", "opencv"),
            f"must be false while {name} runs on x86_64, where the layer is larger than the {archives.ZIPPED} MB of a "
            "direct upload; use arm64",
            because=(draft.origin(name, "architecture"),),
        )


RULES: Final = (
    one_source,
    built_elsewhere_says_where,
    inline_is_text_of_a_program,
    files_are_there,
    handlers_are_in_their_code,
    images_bring_everything,
    layers_fit,
    signatures_can_be_kept,
    opencv_fits,
)
