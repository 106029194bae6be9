"""The command line on a small project of its own, and what `watch` prints."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
HEAD = """
import pulumi

class Resource(pulumi.CustomResource):
    def __init__(self, token, title, /, opts=None, **props):
        asked = dict.fromkeys(("arn", "url", "name", "result", "version", "invokeArn"))
        super().__init__(token, title, {**asked, **props}, opts)

def queue(name, **more):
    return Resource("aws:sqs/queue:Queue", name, **more)
"""
TINY = (
    HEAD
    + """
work = queue("work")
Resource("aws:waf/webAcl:WebAcl", "guard")
pulumi.export("url", work.url)
pulumi.export("word", Resource("random:index/randomPassword:RandomPassword", "word", length=20).result)
"""
)
FUNCTION = (
    HEAD
    + """
trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}'
role = Resource("aws:iam/role:Role", "role", assumeRolePolicy=trust)
handler = pulumi.AssetArchive({"hello.py": pulumi.FileAsset("handlers/hello.py")})
hello = Resource("aws:lambda/function:Function", "hello", role=role.arn, runtime="python3.12", handler="hello.handler",
                 code=handler, publish=True, timeout=5)
Resource("aws:lambda/alias:Alias", "live", name="live", functionName=hello.name, functionVersion=hello.version)
pulumi.export("hello", hello.name)
"""
)
EVERYTHING = (
    FUNCTION
    + TINY.removeprefix(HEAD)
    .replace('pulumi.export("word", ', "word = ")
    .replace("length=20).result)", "length=20)")
    + """
pulumi.export("word", word.result)
safe = Resource("aws:secretsmanager/secret:Secret", "safe")
Resource("aws:secretsmanager/secretVersion:SecretVersion", "safe", secretId=safe.arn, secretString=word.result)
pulumi.export("safe", safe.arn)
"""
)
"""The tiny program, a function, and a secret that holds the tiny program's password."""
HELLO = """
def handler(event, context):
    print("greeting", event)
    if event.get("fail"):
        raise KeyError("fail")
    return {"hello": event.get("name", "nobody")}
"""


class Project:
    """A checkout with a program of its own, and the command line on it."""

    def __init__(self, root, text=TINY):
        self.root = root
        root.mkdir(exist_ok=True)
        (root / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
        (root / "Pulumi.dev.yaml").write_text("config: {}\n")
        (root / "handlers").mkdir(exist_ok=True)
        (root / "handlers" / "hello.py").write_text(HELLO)
        self.write(text)

    def write(self, text):
        (self.root / "__main__.py").write_text(text)

    def command(self, *arguments):
        return [sys.executable, "-m", "sandbox", "-C", str(self.root), *arguments]

    def environment(self, **more):
        return {**os.environ, "PYTHONPATH": str(HOME), "COLUMNS": "100", **more}

    def run(self, *arguments, code=0, stdin="", pass_fds=(), **environment):
        """One command to its end; fails the test where it exits otherwise or prints a traceback."""
        done = subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.root,
            env=self.environment(**environment),
            pass_fds=pass_fds,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def line(self, *arguments, code=1):
        """The one line that a mistake prints."""
        said = self.run(*arguments, code=code).stderr.rstrip("\n")
        assert "\n" not in said
        return said

    @property
    def record(self):
        return json.loads((self.root / ".sandbox/dev/sandbox.json").read_text())

    @property
    def state(self):
        return json.loads((self.root / ".sandbox/dev/state.json").read_text())

    def client(self, service):
        from sandbox.clients import Clients

        record = self.record
        return Clients(f"http://127.0.0.1:{record['port']}", record["region"]).client(service)


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
    return found


class Watching:
    """`watch` on a project, with all it has printed so far."""

    def __init__(self, project):
        self.process = subprocess.Popen(
            project.command("watch"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=project.environment(),
            cwd=project.root,
        )
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def waits_for(self, text, seconds=10):
        return wait_for(lambda: next((line for line in self.lines if text in line), None), seconds)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=10)
        self.reader.join(timeout=5)
        self.process.stdout.close()
        return code
