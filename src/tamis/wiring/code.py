"""Interpreters for programs, by the settings. Nothing is imported or started before the first program."""

from tamis.interpreters.javascript import JavaScriptInterpreter
from tamis.interpreters.python import PythonInterpreter
from tamis.interpreters.runner import Interpreters
from tamis.settings import Settings


def code_of(settings: Settings) -> Interpreters:
    workers = settings.code_workers
    return Interpreters(
        PythonInterpreter(workers), JavaScriptInterpreter(workers), workers, settings.code_max_documents
    )
