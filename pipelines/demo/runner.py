"""Runs verbs as separate commands and keeps their answers."""

import json
import shlex
import subprocess
import sys
from typing import Any

from pipelines.command.verb import ExitCode, Output, carried_words
from pipelines.demo.settings import DemoSettings
from pipelines.errors import ThinfileError


class Runner:
    """`steps` are the commands so far, with their exit codes and answers."""

    def __init__(self, settings: DemoSettings) -> None:
        self._settings = settings
        self.steps: list[dict[str, Any]] = []

    def run(self, verb: str, *overrides: str) -> int:
        """Run one command on the user's terminal, or quietly where the answer is for a script; return its exit code."""
        words = [verb, *overrides, *carried_words(self._settings)]
        command = shlex.join(["thinfile", *words])
        is_text = self._settings.output is Output.text
        if is_text:
            print(f"\n$ {command}", flush=True, file=sys.__stdout__)
        words += [f"output={self._settings.output.value}", f"debug={self._settings.debug}"]
        done = subprocess.run(
            [sys.executable, "-m", "thinfile", *words], check=False, stdout=None if is_text else subprocess.PIPE
        )
        if done.returncode not in (ExitCode.DONE, ExitCode.ANSWER_IS_NO):
            raise ThinfileError(
                f"the demo stopped: `{command}` ended with exit code {done.returncode}; run it by itself"
            )
        answer = {} if is_text else json.loads(done.stdout)
        self.steps.append({"command": command, "exit_code": done.returncode, "answer": answer})
        return done.returncode
