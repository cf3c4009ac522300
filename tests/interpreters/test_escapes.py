"""What programs try: to get out, to stay, to take all there is, to leave something behind. None of it is had."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import pytest

from tamis.engine.ports.code import Language, Program, Ran
from tamis.errors import NotSetUpError
from tamis.interpreters.javascript import JavaScriptInterpreter
from tamis.interpreters.runner import Interpreters
from tamis.model.principal import Principal
from tests.interpreters.world import opened

MINE, THEIRS = Principal("org_1", "ns_1"), Principal("org_2", "ns_2")

REACHING_OUT = {
    "python": [
        "result = open('/etc/passwd').read()",
        "import os\nresult = os.listdir('/')",
        "import os\nresult = os.getenv('HOME', None) or os.environ['PATH']",
        "import os\nresult = os.system('id')",
        "import pathlib\nresult = pathlib.Path('/etc/hostname').read_text()",
        "import socket",
        "import subprocess",
        "import ctypes",
        "import sys\nresult = sys.modules['os'].getcwd() + str(sys._getframe(0))",
        "result = __import__('os').getcwd()",
        "result = str(__builtins__)",
        "result = str(().__class__.__base__.__subclasses__())",
        "result = str((lambda: 0).__globals__)",
        "def f():\n    pass\nresult = str(f.__code__.co_consts)",
        "result = '{0.__class__.__mro__}'.format(1)",
        "result = eval('__import__(\"os\").getcwd()')",
        "exec('import socket')",
        "result = str(globals())",
        "try:\n    1 / 0\nexcept Exception as error:\n    result = str(error.__traceback__.tb_frame)",
        "import datetime\nresult = str(datetime.datetime.now())",
        "import time\nresult = time.time()",
        "import time\nresult = time.monotonic()",
        "result = input()",
        "breakpoint()",
        "import gc\nresult = str(gc.get_objects())",
        "import importlib\nresult = str(importlib)",
    ],
    "javascript": [
        "var result = require('fs').readFileSync('/etc/passwd')",
        "var result = process.env",
        "var result = std.getenv('HOME')",
        "var result = os.readdir('/')",
        "var result = Deno.env",
        "var result = fetch('http://169.254.169.254/')",
        "var result = new XMLHttpRequest()",
        "var result = new WebSocket('ws://localhost')",
        "var result = Function('return process')()",
        "var result = (function () {}).constructor('return require(\"fs\")')()",
        "var result = [].constructor.constructor('return std')()",
        "var result = eval('os.getcwd()')",
        "var result = globalThis.constructor.constructor('return process.env')()",
        "import fs from 'fs'",
        "var result = import('fs')",
        "var result = new Worker('data:,1')",
        "var result = load('/etc/passwd')",
        "var result = setTimeout(() => 1, 1)",
        "var result = WebAssembly",
        "var result = new SharedArrayBuffer(8) && Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 9000)",
        "var result = arguments.callee.caller",
    ],
}

GREEDY: dict[Language, list[str]] = {
    "python": [
        "result = 10**10**10",
        "result = 'a' * 10**10",
        "x = [0]\nwhile True:\n    x = x + x",
        "x = []\nwhile True:\n    x.append(x * 2)",
        "result = list(range(10**10))",
        "result = [0] * 10**10",
        "x = {}\nfor i in range(10**9):\n    x[i] = str(i) * 100",
        "x = [0] * 10\nfor i in range(12):\n    x = [x] * 10\nresult = x",
        "def f(n):\n    return f(n + 1)\nf(0)",
        "def transform(doc):\n    return transform(doc)",
        "x = []\nfor i in range(100000):\n    x = [x]\nresult = x",
        "import json\nresult = json.loads('[' * 100000)",
        "f = lambda g: g(g)\nf(f)",
        "while True:\n    try:\n        x = [0] * 10**10\n    except MemoryError:\n        x = [0] * 10**10",
        "result = 1 << (1 << 40)",
        "result = ' ' .join(['x' * 10**6] * 10**6)",
        "result = 'x'.ljust(10**11)",
        "result = '%99999999999d' % 1",
        "result = f'{1:>99999999999}'",
        "import re\nresult = re.match(r'(a|a)*\\1$', 'a' * 5000 + 'b')",
    ],
    "javascript": [
        "let a = 'a'; while (true) a += a",
        "var result = 'a'.repeat(2 ** 29)",
        "var result = new Array(2 ** 32 - 1).fill(0)",
        "let x = []; while (true) x.push('x'.repeat(1e6))",
        "var result = new ArrayBuffer(2 ** 40)",
        "let b = 10n; while (true) b = b * b",
        "function f() { return f() } f()",
        "const transform = doc => transform(doc)",
        "let q = []; for (let i = 0; i < 1e5; i++) q = [q]; var result = q",
        "JSON.parse('['.repeat(1e5))",
        "var result = {}; result.self = result",
        "var result = {get x() { return result.x }}",
        "var result = {toJSON() { return result.toJSON() }}",
        "new Function('('.repeat(1e5))()",
        "new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
        "throw new Error('x'.repeat(1e7))",
        "throw {toString() { while (true) {} }}",
        "Array.from({length: 1e9}, () => 'x')",
    ],
}

ENDLESS: dict[Language, list[str]] = {
    "python": [
        "while True:\n    pass",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "def transform(doc):\n    for i in range(10**12):\n        for j in range(10**12):\n            pass",
        "x = 0\nwhile x < 1:\n    print('', end='')",
    ],
    "javascript": [
        "while (true) {}",
        "for (;;) try { for (;;); } catch (e) {}",
        "/(a+)+$/.test('a'.repeat(60) + 'b')",
        "[3, 1, 2].sort(() => { for (;;); })",
        "const transform = doc => ({get x() { for (;;); }})",
        "var result = {toJSON() { for (;;); }}",
        "function* g() { for (;;) yield 1 } for (const x of g());",
        "const p = new Proxy({}, {get() { for (;;); }}); var result = p.x",
    ],
}  # fmt: skip

EACH: list[Any] = [
    *[("python", code) for code in REACHING_OUT["python"]],
    *[("javascript", code) for code in REACHING_OUT["javascript"]],
]


async def of(
    runner: Interpreters, language: Language, code: str, documents: Sequence[Any] = ({},), who: Principal = MINE,
    **more: Any,
) -> Sequence[Ran]:  # fmt: skip
    limits = {"timeout_s": 2.0, "max_memory_bytes": 32 << 20, **more}
    return await runner.run(who, Program(language, code, **limits), documents)


async def test_nothing_is_within_reach() -> None:
    """All in one world: the same workers go on after each attempt."""
    async with opened() as code:
        for language, program in EACH:
            (ran,) = await of(code, language, program)
            assert ran.fault in ("raised", "syntax"), (program, ran)
            assert ran.value is None
            assert "root:" not in ran.error, program


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_what_takes_too_much_is_ended(language: Language) -> None:
    async with opened() as code:
        for program in GREEDY[language]:
            (ran,) = await of(code, language, program)
            assert ran.fault is not None, program
            assert len(ran.error) < 400, program
        assert (await of(code, language, "var result = 1" if language == "javascript" else "result = 1"))[0].value == 1


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_what_does_not_end_is_ended(language: Language) -> None:
    async with opened() as code:
        for program in ENDLESS[language]:
            (ran,) = await of(code, language, program, timeout_s=0.2)
            assert ran.fault == "time", (program, ran)


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_the_answer_is_bounded(language: Language) -> None:
    large = {"python": "result = 'x' * 2000", "javascript": "var result = 'x'.repeat(2000)"}[language]
    async with opened() as code:
        assert (await of(code, language, large, max_output_bytes=1999))[0].fault == "output"
        assert (await of(code, language, large, max_output_bytes=2002))[0].value == "x" * 2000


@pytest.mark.parametrize(
    ("language", "plant", "look"),
    [
        ("python", "leak = 1\nimport json\nresult = 1", "result = leak"),
        ("python", "len = None\nresult = 1", "result = len('abc')"),
        ("python", "import random\nrandom.seed(5)\nresult = 1", "import random\nresult = random.random()"),
        ("javascript", "globalThis.leak = 1; var result = 1", "var result = leak"),
        ("javascript", "Object.prototype.leak = 1; var result = 1", "var result = ({}).leak"),
        ("javascript", "Array.prototype.map = () => 'had'; var result = 1", "var result = [1].map(x => x + 1)"),
        ("javascript", "JSON.stringify = () => '[false,\"had\"]'; var result = 1", "var result = 2"),
        ("javascript", "Object.prototype.toJSON = () => 'had'; var result = 1", "var result = {a: 1}"),
    ],
)
async def test_nothing_is_left_behind(language: Language, plant: str, look: str) -> None:
    """One worker serves both, before and after."""
    async with opened(workers=1) as code:
        before = await of(code, language, look)
        await of(code, language, plant)
        await of(code, language, plant, who=THEIRS)
        assert await of(code, language, look) == before
        assert before[0].value != "had"


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_there_is_no_chance(language: Language) -> None:
    code = {
        "python": "import random\nresult = random.random()",
        "javascript": "var result = [Math.random(), Date.now()]",
    }
    async with opened() as first, opened() as second:
        assert await of(first, language, code[language]) == await of(second, language, code[language], [{}])


async def test_a_program_that_does_not_end_is_not_tried_for_ever() -> None:
    async with opened() as code:
        ran = await of(code, "python", "while True:\n    pass", [{}] * 9, timeout_s=0.1)
    assert [one.fault for one in ran] == ["time"] * 3 + ["not_run"] * 6


async def test_no_more_documents_than_the_operator_says() -> None:
    async with opened(max_documents=2) as code:
        ran = await of(code, "python", "result = doc['n']", [{"n": n} for n in range(3)])
    assert [one.value for one in ran] == [0, 1, None]
    assert ran[2].error == "a call runs its program on 2 documents at most"


async def test_who_takes_long_holds_up_nobody_else() -> None:
    async with opened(workers=2) as code:
        await of(code, "javascript", "var result = 1")
        slow = asyncio.create_task(of(code, "javascript", "for (;;);", [{}] * 4, timeout_s=20.0))
        await asyncio.sleep(0)
        assert (await of(code, "javascript", "var result = 1", who=THEIRS, timeout_s=19.0))[0].value == 1
        assert not slow.done()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_a_run_that_nobody_waits_for_is_ended(language: Language) -> None:
    endless = {"python": "while True:\n    pass", "javascript": "for (;;);"}[language]
    async with opened(workers=1) as code:
        await of(code, language, "result = 1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(of(code, language, endless, timeout_s=60.0), 0.2)
        assert (await of(code, language, "result = 1"))[0].value == 1


async def test_a_worker_that_is_killed_is_replaced() -> None:
    interpreter = JavaScriptInterpreter(1)
    program = Program("javascript", "var result = doc.n")
    try:
        assert (await interpreter.run(program, {"n": 1})).value == 1
        (worker,) = interpreter.idle
        os.kill(worker.process.pid, 9)
        assert (await interpreter.run(program, {"n": 2})).fault == "memory"
        assert (await interpreter.run(program, {"n": 3})).value == 3
    finally:
        await interpreter.close()


async def test_no_workers_run_nothing() -> None:
    async with opened(workers=0) as code:
        with pytest.raises(NotSetUpError, match="TAMIS_CODE_WORKERS"):
            await of(code, "python", "result = 1")


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_a_check_runs_nothing(language: Language) -> None:
    endless = {"python": "while True:\n    pass", "javascript": "for (;;);"}[language]
    async with opened() as code:
        for _ in range(2):
            assert await code.check(Program(language, endless, timeout_s=30.0)) == Ran()
        for _ in range(2):
            assert (await code.check(Program(language, "(("))).fault == "syntax"
