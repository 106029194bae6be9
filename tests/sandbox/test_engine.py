"""Runs of tiny programs: what is made, changed, left alone, refused."""

import fcntl
import gc
import json
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from pulumi.runtime.proto import resource_pb2

from sandbox import program, randomness  # noqa: F401 the random types register themselves
from sandbox.apply import Engine
from sandbox.clients import Clients
from sandbox.monitor import Monitor
from sandbox.place import Place
from sandbox.report import Report
from sandbox.resources import (
    AGAIN,
    INVOKES,
    REGISTRY,
    RETRY,
    Resource,
    RestartNeeded,
    resource,
)
from sandbox.stack import Stack
from sandbox.state import Record, State

HEAD = """
import pulumi

class Thing(pulumi.CustomResource):
    def __init__(self, name, kind="thing", opts=None, **props):
        super().__init__(f"test:index/{kind}:{kind.capitalize()}", name, {"made": None, "url": None, **props}, opts)

class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("test:index:Group", name, None, opts)

"""


class AWSError(Exception):
    """A refusal as botocore raises it."""

    def __init__(self, code, message):
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code, "Message": message}}


AWSError.__name__ = "ClientError"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Runs programs one after another on one state, with types that only write down what is asked of them."""
    return Lab(tmp_path, monkeypatch)


class Lab:
    def __init__(self, root, monkeypatch):
        self.root, self.calls = root, []
        self.state = State("lab")
        self.aws = SimpleNamespace(seed=b"seed", region="us-west-2", account="000000000000")
        self.strict = False
        self.said = []
        for registry in (REGISTRY, INVOKES):
            for token in list(registry):
                if token.startswith("test:"):
                    monkeypatch.delitem(registry, token)
        self._keep = monkeypatch
        self.type("thing", update=AGAIN)

    def type(self, kind, create=None, **more):
        def make(r):
            self.calls.append(("create" if r.old is None else "update", r.name, sorted(r.changed)))
            if create:
                return create(r)
            for key in r.inputs:
                r.take(key)
            return {"id": f"{r.name}-id", "made": f"{r.name}-made"}

        token = f"test:index/{kind}:{kind.capitalize()}"
        entry = resource(token, **more)(make)
        self._keep.setitem(REGISTRY, token, entry)
        entry.deletes(lambda r: self.calls.append(("delete", r.name, sorted(r.old or {}))))
        return entry

    def run(self, text, config=None):
        (self.root / "__main__.py").write_text(HEAD + textwrap.dedent(text))
        self.calls.clear()
        self.engine = Engine(self.aws, self.state, self.strict)
        made = program.run(
            self.root, Stack("lab", "dev", config or {}), self.engine, self.said.append
        )
        if not (made.faults or self.engine.failures or self.engine.restart):
            self.engine.finish()
        self.state = self.through_a_file()
        return made

    def through_a_file(self):
        path = self.root / "state.json"
        self.state.save(path)
        self.text = path.read_text()
        return State.load(path, "lab")

    def line(self, word):
        lines = (self.root / "__main__.py").read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if word in line)


def test_inputs_arrive_plain_and_outputs_reach_the_exports(lab):
    seen = {}

    def create(r):
        seen.update(r.inputs, secrets=r.secrets, where=r.urn)
        return {"id": "the-id", "made": {"count": 3, "parts": ["x"]}}

    lab.type("thing", create)
    made = lab.run(
        """
        t = Thing("t", count=3, half=0.5, on=True, none=None, tags={"camelCase": 1}, word=pulumi.Output.secret("hush"),
                  code=pulumi.AssetArchive({"a.txt": pulumi.StringAsset("x")}))
        pulumi.export("id", t.id)
        pulumi.export("made", t.made)
        pulumi.export("plain", {"a": 1})
        pulumi.export("hidden", pulumi.Output.secret("hush"))
        """
    )
    assert made.exports == {
        "id": "the-id",
        "made": {"count": 3, "parts": ["x"]},
        "plain": {"a": 1},
        "hidden": "hush",
    }
    assert made.secret_exports == {"hidden"}
    assert (seen["count"], type(seen["count"]), seen["half"], seen["on"]) == (3, int, 0.5, True)
    assert (seen["word"], seen["secrets"]) == ("hush", {"word"})
    assert seen["tags"] == {"camelCase": 1}
    assert seen["code"].assets["a.txt"].text == "x"


def test_a_resource_waits_for_what_it_depends_on(lab):
    order = []

    def create(r):
        time.sleep(0.02 if r.name == "first" else 0)
        order.append(r.name)
        return {"id": r.name, "made": f"{r.name}-made"}

    lab.type("thing", create)
    lab.run(
        """
        first = Thing("first")
        Thing("told", value=first.made)
        Thing("asked", opts=pulumi.ResourceOptions(depends_on=[first]))
        """
    )
    assert order[0] == "first"
    assert sorted(order) == ["asked", "first", "told"]


def test_independent_resources_are_made_side_by_side(lab):
    together = threading.Barrier(8, timeout=5)

    def create(r):
        together.wait()
        return {"id": r.name}

    lab.type("thing", create)
    lab.run("for n in range(8): Thing(f't{n}')")
    assert lab.engine.failures == []
    assert lab.engine.counts["created"] == 8


def test_an_unchanged_program_touches_nothing(lab):
    text = "t = Thing('t', size=1)\nThing('u', of=t.made)\npulumi.export('made', t.made)"
    first = lab.run(text)
    again = lab.run(text)
    assert lab.calls == []
    assert lab.engine.counts == {"created": 0, "updated": 0, "deleted": 0, "same": 2}
    assert again.exports == first.exports == {"made": "t-made"}


def test_only_the_difference_is_applied(lab):
    lab.run("Thing('kept', size=1)\nThing('changed', size=1, more=1)\nThing('gone')")
    lab.run("Thing('kept', size=1)\nThing('changed', size=2, less=1)\nThing('new')")
    assert sorted(lab.calls) == [
        ("create", "new", []),
        ("delete", "gone", ["id", "made"]),
        ("update", "changed", ["less", "more", "size"]),
    ]
    assert lab.engine.counts == {"created": 1, "updated": 1, "deleted": 1, "same": 1}


def test_a_change_travels_along_the_outputs(lab):
    lab.type("thing", lambda r: {"id": r.name, "made": f"{r.inputs.get('size')}"}, update=AGAIN)
    lab.run("a = Thing('a', size=1)\nThing('b', of=a.made)\nThing('c')")
    lab.run("a = Thing('a', size=2)\nThing('b', of=a.made)\nThing('c')")
    assert lab.calls == [("update", "a", ["size"]), ("update", "b", ["of"])]


def test_what_is_gone_is_deleted_last_made_first(lab):
    lab.run("a = Thing('a')\nb = Thing('b', of=a.made)\nThing('c', of=b.made)")
    lab.run("")
    assert [name for _, name, _ in lab.calls] == ["c", "b", "a"]
    assert lab.state.resources == {}


def test_a_protected_resource_is_not_deleted(lab):
    lab.run("Thing('t', opts=pulumi.ResourceOptions(protect=True))")
    lab.run("")
    assert lab.calls == []
    assert lab.engine.failures == [
        "Thing 't' is protected and no longer declared: set protect=False, run `up`, then remove it"
    ]
    assert [r.name for r in lab.state.resources.values()] == ["t"]


def test_a_retained_resource_is_forgotten_but_not_deleted(lab):
    lab.run("Thing('t', opts=pulumi.ResourceOptions(retain_on_delete=True))")
    lab.run("")
    assert lab.calls == []
    assert lab.state.resources == {}


def test_an_ignored_change_is_no_change(lab):
    lab.run("Thing('t', size=1, opts=pulumi.ResourceOptions(ignore_changes=['size']))")
    lab.run("Thing('t', size=2, opts=pulumi.ResourceOptions(ignore_changes=['size']))")
    assert lab.calls == []


def test_an_alias_keeps_the_resource_under_its_new_name(lab):
    lab.run("Thing('old', size=1)")
    lab.run("Thing('new', size=1, opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='old')]))")
    assert lab.calls == []
    assert [urn.rpartition("::")[2] for urn in lab.state.resources] == ["new"]


def test_a_type_without_an_update_starts_the_sandbox_over(lab):
    lab.type("fixed")
    lab.run("Thing('t', kind='fixed', size=1, title='a')")
    lab.run("Thing('t', kind='fixed', size=2, title='b')")
    assert lab.engine.restart == "Fixed 't': size, title cannot change in place"


def test_an_update_may_ask_to_start_over_with_its_reason(lab):
    def refuse(r):
        raise RestartNeeded("the key of a table is for life")

    lab.type("fixed").updates(refuse)
    lab.run("Thing('t', kind='fixed', size=1)")
    lab.run("Thing('t', kind='fixed', size=2)")
    assert lab.engine.restart == "Fixed 't': the key of a table is for life"


def test_a_type_that_cannot_be_removed_starts_the_sandbox_over(lab):
    object.__setattr__(lab.type("fixed"), "delete", None)
    lab.run("Thing('t', kind='fixed')")
    lab.run("")
    assert lab.engine.restart == "Fixed 't' cannot be removed in place"


def test_a_failing_resource_is_one_line_that_names_the_programs_line(lab):
    def create(r):
        raise AWSError("ResourceInUseException", "Table already exists:\nitems")

    lab.type("table", create)
    made = lab.run(
        "def helper():\n    return Thing('items', kind='table')\n\nhelper()  # here\nThing('after')"
    )
    assert made.faults == []
    assert lab.engine.failures == [
        f"__main__.py:{lab.line('return Thing')}: Table 'items': ResourceInUseException: Table already exists: items"
    ]


def test_the_line_is_that_of_the_main_file_even_where_a_module_makes_the_resource(lab):
    def create(r):
        raise AWSError("NoSuchThing", "no")

    lab.type("table", create)
    (lab.root / "parts.py").write_text(
        "def make(thing):\n    return thing('items', kind='table')\n"
    )
    lab.run("import parts\nparts.make(Thing)  # here")
    assert lab.engine.failures == [
        f"__main__.py:{lab.line('# here')}: Table 'items': NoSuchThing: no"
    ]


def test_a_failure_stops_what_depends_on_it_and_loses_nothing(lab):
    def create(r):
        raise AWSError("Bad", "no")

    lab.type("bad", create)
    lab.run("a = Thing('a')\nb = Thing('b', kind='bad', of=a.made)\nThing('c', of=b.made)")
    assert [(r.name, r.half_made) for r in lab.state.resources.values()] == [
        ("a", False),
        ("b", True),
    ]
    lab.type("bad")
    lab.run("a = Thing('a')\nb = Thing('b', kind='bad', of=a.made)\nThing('c', of=b.made)")
    assert lab.calls == [("create", "b", []), ("create", "c", [])]
    assert not any(r.half_made for r in lab.state.resources.values())


def test_what_the_last_run_left_half_made_and_now_collides_starts_the_sandbox_over(lab):
    def create(r):
        raise AWSError("AlreadyExists", "it is there")

    lab.type("bad", create)
    lab.run("Thing('b', kind='bad')")
    lab.run("Thing('b', kind='bad')")
    assert lab.engine.restart == "Bad 'b': the last run left it half made"


def test_a_flaw_of_the_sandbox_itself_is_named_as_one(lab):
    lab.type("bad", lambda r: {}["missing"])
    lab.run("Thing('b', kind='bad')")
    (line,) = lab.engine.failures
    assert "Bad 'b': KeyError: 'missing' (in the sandbox: <lambda>, line" in line
    assert "Traceback" in lab.engine.traces[0]


def test_a_secret_is_not_repeated_by_an_error(lab):
    def create(r):
        raise AWSError("Invalid", f"bad value: {r.inputs['word']}")

    lab.type("bad", create)
    lab.run("Thing('b', kind='bad', word=pulumi.Output.secret('hush-hush-hush'))")
    assert lab.engine.failures[0].endswith("Invalid: bad value: [secret]")
    assert "hush" not in "".join(lab.engine.traces)


def test_a_name_used_twice_is_refused_like_the_real_engine_does(lab):
    lab.run("Thing('t')\nThing('t')  # again")
    first, again = lab.line("Thing('t')"), lab.line("# again")
    assert lab.engine.failures == [
        f"__main__.py:{again}: Thing 't': duplicate resource name, first used at __main__.py:{first}; give each its own"
    ]


def test_the_same_name_below_two_parents_is_fine(lab):
    lab.run(
        """
        a, b = Group("a"), Group("b", opts=pulumi.ResourceOptions(parent=Group("top")))
        Thing("t", opts=pulumi.ResourceOptions(parent=b))
        Thing("t")
        """
    )
    assert sorted(urn.partition("::lab::")[2] for urn in lab.state.resources) == [
        "test:index/thing:Thing::t",
        "test:index:Group$test:index:Group$test:index/thing:Thing::t",
    ]


def test_components_and_providers_make_nothing(lab):
    made = lab.run("Group('g')")
    assert lab.calls == []
    assert [(d["name"], d["custom"]) for d in made.declared] == [("g", False)]


def test_a_run_error_of_the_program_is_its_own_lines(lab):
    made = lab.run("raise pulumi.RunError('Pulumi.dev.yaml: a: wrong\\nPulumi.dev.yaml: b: wrong')")
    assert made.faults == ["Pulumi.dev.yaml: a: wrong", "Pulumi.dev.yaml: b: wrong"]


def test_a_bug_of_the_program_is_named_by_its_lines(lab):
    (lab.root / "parts.py").write_text("def make():\n    return {}['x']\n")
    made = lab.run("import parts\nparts.make()  # here")
    assert made.faults == [
        "parts.py:2: KeyError: 'x'",
        f"  called from __main__.py:{lab.line('# here')}",
    ]


def test_a_syntax_error_is_named_by_its_line(lab):
    made = lab.run("t = (")
    (line,) = made.faults
    assert line.startswith(f"__main__.py:{lab.line('t = (')}: SyntaxError: ")


def test_an_error_inside_apply_is_the_programs_fault(lab):
    made = lab.run("Thing('t').made.apply(lambda made: made['x'])  # here")
    assert made.faults[0].startswith(f"__main__.py:{lab.line('# here')}: TypeError: ")


def test_what_the_program_says_is_shown_and_the_sdks_noise_is_not(lab, capfd):
    def create(r):
        raise AWSError("Bad", "no")

    lab.type("bad", create)
    lab.run(
        "pulumi.info('hello')\npulumi.warn('careful')\nt = Thing('b', kind='bad')\nt.made.apply(print)"
    )
    assert lab.said == ["hello", "warning: careful"]
    assert capfd.readouterr() == ("", "")


def test_a_changed_module_is_read_anew_in_the_same_process(lab):
    (lab.root / "parts.py").write_text("SIZE = 1\n")
    assert lab.run("import parts\npulumi.export('size', parts.SIZE)").exports == {"size": 1}
    (lab.root / "parts.py").write_text("SIZE = 22\n")
    assert lab.run("import parts\npulumi.export('size', parts.SIZE)").exports == {"size": 22}


def test_each_run_has_a_namespace_of_its_own(lab):
    lab.run("left = 1")
    made = lab.run("pulumi.export('found', 'left' in globals())\npulumi.export('name', __name__)")
    assert made.exports == {"found": False, "name": "__main__"}


def test_config_reaches_the_program(lab):
    made = lab.run(
        "config = pulumi.Config()\npulumi.export('a', config.require_object('a'))\n"
        "pulumi.export('where', [pulumi.get_project(), pulumi.get_stack()])",
        {"lab:a": '{"b": 1}'},
    )
    assert made.exports == {"a": {"b": 1}, "where": ["lab", "dev"]}


def test_an_unknown_type_runs_on_and_is_listed(lab):
    made = lab.run(
        "t = Thing('t', kind='strange', size=1)\npulumi.export('id', t.id)\npulumi.export('size', t.made)"
    )
    assert made.exports["id"].startswith("t-")
    report = Report.of(lab.state)
    assert list(report.not_simulated) == [
        ("Strange 't'", "the sandbox does not know test:index/strange:Strange")
    ]
    assert report.unread == []


def test_exports_are_kept_whichever_of_the_stacks_two_registrations_arrives_first():
    monitor = Monitor(SimpleNamespace(), Path("/p"), "p", "dev")
    for outputs in ({"x": "1"}, {}):
        request = resource_pb2.RegisterResourceOutputsRequest(
            urn="urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
        )
        request.outputs.update(outputs)
        monitor.RegisterResourceOutputs(request)
    assert monitor.exports == {"x": "1"}


def test_an_unknown_lookup_runs_on_and_is_listed(lab):
    made = lab.run(
        "found = pulumi.runtime.invoke('test:index:find', {'name': 'x'})\npulumi.export('x', found.value)"
    )
    assert made.exports["x"]["name"] == "x"
    assert list(lab.engine.invoked) == ["test:index:find"]


def test_a_known_lookup_gets_its_answer(lab, monkeypatch):
    monkeypatch.setitem(
        INVOKES, "test:index:find", lambda aws, args: {"region": aws.region, **args}
    )
    made = lab.run(
        "found = pulumi.runtime.invoke('test:index:find', {'name': 'x'})\npulumi.export('x', found.value)"
    )
    assert made.exports["x"] == {"name": "x", "region": "us-west-2"}


def test_an_input_that_nobody_reads_is_an_error_where_strict_and_a_warning_else(lab):
    def create(r):
        r.take("size")
        for block in r.blocks("rule"):
            block.take("a")
        return {"id": "x"}

    lab.type("picky", create, ignored={"tags": "there is nothing to tag"})
    text = (
        "Thing('p', kind='picky', size=1, colour='red', tags={'a': 'b'}, rule=[{'a': 1, 'b': 2}])"
    )
    lab.run(text)
    report = Report.of(lab.state)
    assert list(report.unread) == [("Picky 'p'", "colour"), ("Picky 'p'", "rule.b")]
    assert list(report.ignored) == [("Picky 'p'", "tags: there is nothing to tag")]
    assert report.lines()[0] == "warning: Picky 'p': the sandbox does nothing with 'colour'"
    lab.strict, lab.state = True, State("lab")
    lab.run(text)
    assert lab.engine.failures == [
        f"__main__.py:{lab.line('picky')}: Picky 'p': the sandbox does not know what to do with colour, rule.b"
    ]


def test_what_a_service_notes_is_reported_on_later_runs_too(lab):
    def create(r):
        r.note("its cache does not run")
        r.note_compat("one more right")
        return {"id": "x"}

    lab.type("noted", create)
    for _ in range(2):
        lab.run("Thing('n', kind='noted')")
        report = Report.of(lab.state)
        assert list(report.not_simulated) == [("Noted 'n'", "its cache does not run")]
        assert list(report.compat) == [("Noted 'n'", "one more right")]


def test_what_could_not_be_had_is_tried_again_by_the_next_run(lab):
    there = []

    def create(r):
        r.take("count")
        return {"id": "the-id", **({} if there else {RETRY: ["count"]})}

    lab.type("thing", create, update=AGAIN)
    lab.run("Thing('t', count=1)")
    lab.run("Thing('t', count=1)")
    assert lab.calls == [("update", "t", ["count"])]
    there.append("now")
    lab.run("Thing('t', count=1)")
    lab.run("Thing('t', count=1)")
    assert lab.calls == []
    assert lab.engine.counts["same"] == 1


def test_the_state_file_holds_no_input_and_no_secret(lab):
    lab.type(
        "leaky",
        lambda r: {"id": "x", "made": r.inputs["word"], "url": f"https://{r.inputs['word']}@host"},
    )
    text = "t = Thing('t', kind='leaky', colour='vermilion', word=pulumi.Output.secret('hush-hush-hush'))\nThing('u', of=t.made)"
    lab.run(text)
    assert "vermilion" not in lab.text
    assert "hush" not in lab.text


def test_digests_of_inputs_depend_on_the_seed(lab):
    lab.run("Thing('t', size=1)")
    before = [r.prints for r in lab.state.resources.values()]
    lab.state, lab.aws.seed = State("lab"), b"other"
    lab.run("Thing('t', size=1)")
    assert [r.prints for r in lab.state.resources.values()] != before


def test_an_archive_counts_by_content_not_by_place_or_time(lab):
    for folder in ("one", "two"):
        (lab.root / folder).mkdir()
        (lab.root / folder / "f.py").write_text("x = 1\n")
    text = "Thing('t', code=pulumi.AssetArchive({{'f.py': pulumi.FileAsset('{0}/f.py')}}), tree=pulumi.FileArchive('{0}'))"
    lab.run(text.format(lab.root / "one"))
    lab.run(text.format(lab.root / "two"))
    assert lab.calls == []
    (lab.root / "two" / "f.py").write_text("x = 2\n")
    lab.run(text.format(lab.root / "two"))
    assert lab.calls == [("update", "t", ["code", "tree"])]


RANDOM = """
class Random(pulumi.CustomResource):
    def __init__(self, kind, name, **props):
        super().__init__(f"random:index/random{kind}:Random{kind}", name, {"result": None, "hex": None, **props}, None)
"""


def test_a_random_password_stays_the_same_and_lies_in_no_file(lab):
    text = (
        RANDOM + "pulumi.export('word', Random('Password', 'p', length=24, special=False).result)"
    )
    first = lab.run(text)
    word = first.exports["word"]
    assert len(word) == 24
    assert word.isalnum()
    assert first.secret_exports == {"word"}
    assert word not in lab.text
    assert lab.run(text).exports["word"] == word
    assert lab.engine.counts["same"] == 1
    assert lab.run(text.replace("24", "25")).exports["word"] != word
    lab.state, lab.aws.seed = State("lab"), b"another sandbox"
    assert lab.run(text).exports["word"] != word


def test_a_random_password_keeps_the_demanded_minimums(lab):
    text = RANDOM + (
        "p = Random('Password', 'p', length=8, min_upper=1, minUpper=3, minNumeric=3, minSpecial=2, overrideSpecial='_')\n"
        "pulumi.export('word', p.result)"
    )
    word = lab.run(text).exports["word"]
    assert sum(c.isupper() for c in word) == 3
    assert sum(c.isdigit() for c in word) == 3
    assert word.count("_") == 2


@pytest.mark.parametrize(
    ("kind", "length"), [("Uuid", 36), ("String", 12), ("Id", 16), ("Bytes", 20)]
)
def test_every_random_type_answers_a_stable_value(lab, kind, length):
    more = {"Uuid": "", "String": ", length=12", "Id": ", byteLength=8", "Bytes": ", length=10"}[
        kind
    ]
    output = "hex" if kind in ("Id", "Bytes") else "result"
    text = RANDOM + f"pulumi.export('value', Random('{kind}', 'r'{more}).{output})"
    value = lab.run(text).exports["value"]
    assert len(value) == length
    assert lab.run(text).exports["value"] == value


def test_a_saved_file_is_swapped_into_what_carries_it_and_moves_what_names_its_version(lab):
    from sandbox import swap

    versions = iter(range(1, 9))
    lab.type("code", lambda r: {"id": "f", "made": str(next(versions))}, update=AGAIN)
    (lab.root / "f.py").write_text("x = 1\n")
    lab.run(
        f"f = Thing('f', kind='code', code=pulumi.FileAsset('{lab.root}/f.py'))\n"
        "Thing('live', version=f.made)\nThing('other', version='1')"
    )
    lab.calls.clear()
    (lab.root / "f.py").write_text("x = 2\n")
    urn = next(urn for urn in lab.engine.registered if urn.endswith("::f"))
    swap.replace(lab.engine, urn)
    assert lab.calls == [("update", "f", ["code"]), ("update", "live", ["version"])]
    live = next(r for r in lab.engine.registered.values() if r.name == "live")
    assert live.inputs["version"] == "2"


def test_a_state_of_another_emulator_counts_for_nothing(lab):
    lab.run("Thing('t')")
    assert State.load(lab.root / "state.json", "another").resources == {}
    (lab.root / "state.json").write_text("{broken")
    assert State.load(lab.root / "state.json", "lab").resources == {}


def test_the_declared_resources_are_plain_data_for_policies(lab):
    made = lab.run(
        "a = Group('a')\nThing('t', size=1, opts=pulumi.ResourceOptions(parent=a, protect=True))"
    )
    thing = next(d for d in made.declared if d["name"] == "t")
    assert (thing["type"], thing["inputs"], thing["opts"]["protect"]) == (
        "test:index/thing:Thing",
        {"size": 1},
        True,
    )
    assert thing["parent"].endswith("test:index:Group::a")
    json.dumps(made.declared)


def test_what_takes_long_is_named_once(lab, monkeypatch):
    from sandbox import session

    monkeypatch.setattr(session, "_LONG_SECONDS", 0.02)

    def create(r):
        time.sleep(0.2 if r.name == "slow" else 0)
        return {"id": r.name}

    lab.type("thing", create)
    said = []
    (lab.root / "__main__.py").write_text(HEAD + "Thing('quick')\nThing('slow')\n")
    engine = Engine(lab.aws, lab.state)
    with session._patience(engine, said.append):
        program.run(lab.root, Stack("lab", "dev", {}), engine, said.append)
    assert said == ["still making Thing 'slow'"]


def test_after_a_failure_nothing_more_is_begun(lab):
    begun = threading.Event()

    def bad(r):
        begun.wait(5)
        raise AWSError("Bad", "no")

    def slow(r):
        begun.set()
        time.sleep(0.05)
        return {"id": r.name, "made": "x"}

    lab.type("bad", bad)
    lab.type("slow", slow)
    lab.run("Thing('b', kind='bad')\ns = Thing('s', kind='slow')\nThing('later', of=s.made)")
    assert [(r.name, r.half_made) for r in lab.state.resources.values()] == [
        ("b", True),
        ("s", False),
    ]


def test_a_half_made_resource_that_is_no_longer_declared_is_forgotten(lab):
    def create(r):
        raise AWSError("Bad", "no")

    lab.type("bad", create)
    lab.run("Thing('b', kind='bad')")
    lab.run("")
    assert (lab.calls, lab.engine.failures, lab.state.resources) == ([], [], {})


def test_an_archive_that_is_not_built_counts_by_its_name(lab):
    text = "Thing('t', code=pulumi.FileArchive('{0}'))"
    lab.run(text.format("/nowhere/layer-1.zip"))
    lab.run(text.format("/elsewhere/layer-1.zip"))
    assert lab.calls == []
    lab.run(text.format("/elsewhere/layer-2.zip"))
    assert lab.calls == [("update", "t", ["code"])]


def test_the_program_is_the_main_module_while_it_is_read(lab):
    made = lab.run(
        "import sys\npulumi.export('main', sys.modules['__main__'].__dict__ is globals())"
    )
    assert made.exports == {"main": True}
    assert sys.modules["__main__"].__dict__.get("Thing") is None


def test_relative_paths_are_the_programs_own(lab):
    (lab.root / "f.py").write_text("x = 1\n")
    seen = []
    lab.type("thing", lambda r: seen.append(r.inputs["code"].path) or {"id": "x"})
    here = Path.cwd()
    lab.run("Thing('t', code=pulumi.FileAsset('f.py'))")
    assert seen == [str(lab.root / "f.py")]
    assert Path.cwd() == here


def test_a_failed_run_leaves_no_noise_behind(lab, caplog):
    def create(r):
        raise AWSError("Bad", "no")

    lab.type("bad", create)
    lab.run(
        "t = Thing('b', kind='bad')\n[t.made.apply(str) for _ in range(9)]\nThing('c', of=t.made)"
    )
    gc.collect()
    assert caplog.records == []


def test_an_input_without_a_counterpart_in_the_api_counts_as_unread():
    aws = Clients("http://127.0.0.1:1", "us-west-2")
    r = Resource("t", "n", "urn", {"name": "q", "rule": {"colour": 1, "size": 2}}, aws)
    block = r.block("rule")
    assert r.params(aws, "kms", "create_alias", "name", rename={"name": "AliasName"}) == {
        "AliasName": "q"
    }
    assert block.params(
        aws, "lambda", "create_function", "colour", "size", rename={"size": "Timeout"}
    ) == {"Timeout": 2}
    assert list(r.unread()) == ["rule.colour"]


def test_the_report_counts_where_names_would_be_too_many():
    def record(kind, name):
        return Record(f"a:b:{kind}", name, "", remarks=[("not simulated", "no X-Ray")])

    many = {f"f{n}": record("Function", f"f{n}") for n in range(4)}
    few = {f"s{n}": record("Stage", f"s{n}") for n in range(2)}
    lines = Report.of(State("x", resources={**many, **few})).lines()
    assert lines == ["Declared, not simulated:", "  4 x Function; Stage 's0', 's1': no X-Ray"]


def test_the_lock_holds_even_where_down_removed_its_file(tmp_path):
    place = Place.of(tmp_path, "dev")
    waiting, inside, done = threading.Event(), threading.Event(), threading.Event()

    def second():
        with place.locked(waiting.set):
            inside.set()
            done.wait(5)

    with place.locked(lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        place.clear()
    assert inside.wait(5)
    try:
        with (place.folder / "lock").open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        done.set()
        thread.join()


def test_a_long_path_moves_the_temporary_folder_out_of_the_checkout(tmp_path):
    assert Place.of(Path("/a/b"), "dev").tmp == Path("/a/b/.sandbox/dev/tmp")
    deep = Place.of(tmp_path / ("d" * 80), "dev").tmp
    assert len(str(deep)) < 60 or not str(deep).startswith(str(tmp_path))
