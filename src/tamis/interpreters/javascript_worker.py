"""One JavaScript worker: QuickJS, compiled to WebAssembly, inside wasmtime. Run as a script with nothing of ours.

Reads frames from stdin and answers each on stdout: four bytes of length, big-endian, then JSON. The first frame says
that it is ready. It ends when stdin does.
"""

import json
import re
import resource
import struct
import sys
from typing import Any, BinaryIO, cast

import wasmtime

_WASI = "wasi_snapshot_preview1"
_BAD_DESCRIPTOR = 8
_MAX_DATA_BYTES = 2 << 30
_MAX_IMAGE_BYTES = 16 << 20
"""wasmtime holds a module's first memory in a file that has no name."""
_STACK_BYTES = 256 << 10
_MOST_ERROR = 300
_LINE = re.compile(r"eval_script:(\d+)")
_COMPILING = re.compile(r"\s*(at eval_script:\d+:\d+\s*)?")


def seal() -> None:
    """The host that the interpreter is built against: its clock stands still, its chance is none, it has no files.

    Replaces wasmtime's own, which quickjs_rs asks for by this name, before anything is instantiated.
    """
    i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()

    def define(self: wasmtime.Linker) -> None:
        def written(caller: wasmtime.Caller, place: int, data: bytes) -> int:
            cast(wasmtime.Memory, caller["memory"]).write(caller, data, place)
            return 0

        def clock_time_get(caller: wasmtime.Caller, _clock: int, _precision: int, place: int) -> int:
            return written(caller, place, bytes(8))

        def random_get(caller: wasmtime.Caller, place: int, size: int) -> int:
            return written(caller, place, bytes(size))

        def environ_sizes_get(caller: wasmtime.Caller, count: int, size: int) -> int:
            return written(caller, count, bytes(4)) or written(caller, size, bytes(4))

        def proc_exit(_code: int) -> None:
            raise wasmtime.WasmtimeError("the interpreter gave up")

        for name, parameters, function in (
            ("clock_time_get", [i32, i64, i32], clock_time_get),
            ("random_get", [i32, i32], random_get),
            ("environ_sizes_get", [i32, i32], environ_sizes_get),
        ):
            self.define_func(_WASI, name, wasmtime.FuncType(parameters, [i32]), function, access_caller=True)
        self.define_func(_WASI, "environ_get", wasmtime.FuncType([i32, i32], [i32]), lambda *_: 0)
        for name, parameters in (
            ("fd_close", [i32]),
            ("fd_fdstat_get", [i32, i32]),
            ("fd_seek", [i32, i64, i32, i32]),
            ("fd_write", [i32, i32, i32, i32]),
        ):
            self.define_func(_WASI, name, wasmtime.FuncType(parameters, [i32]), lambda *_: _BAD_DESCRIPTOR)
        self.define_func(_WASI, "proc_exit", wasmtime.FuncType([i32], []), proc_exit)

    wasmtime.Linker.define_wasi = define  # type: ignore[method-assign]


def limit() -> None:
    """Of the process: what the interpreter's own limits do not hold, this does."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _MAX_IMAGE_BYTES),
        (resource.RLIMIT_DATA, _MAX_DATA_BYTES),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(kind, (most, most))


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """asked: code, result, given, timeout_s, max_memory_bytes, max_output_bytes. Answers the fields of a `Ran`."""
    from quickjs_rs import JSError, MemoryLimitError, QuickJSError, Runtime, TimeoutError

    code, most = asked["code"], asked["max_output_bytes"]
    try:
        with (
            Runtime(memory_limit=asked["max_memory_bytes"], stack_limit=_STACK_BYTES) as runtime,
            runtime.new_context(timeout=asked["timeout_s"]) as context,
        ):
            context.eval(_prologue({**asked["given"], asked["result"]: None}))
            answer = context.eval(f"{code}\n;{_epilogue(asked['result'])}")
            if not isinstance(answer, str):
                return {"fault": "raised", "error": "the code ends inside a text or a comment"}
            if len(answer.encode(errors="replace")) > most + len("[false,]"):
                return {"fault": "output", "error": f"its answer is larger than {most} bytes"}
            is_transformed, value = json.loads(answer)
            return {"value": value, "is_transformed": is_transformed}
    except TimeoutError:
        return {"fault": "time", "error": f"it ran out of time ({asked['timeout_s']:g} s)"}
    except MemoryLimitError:
        return {"fault": "memory", "error": f"it ran out of memory ({asked['max_memory_bytes']} bytes)"}
    except JSError as error:
        return _raised(code, error)
    except (wasmtime.Trap, wasmtime.WasmtimeError):
        return {"fault": "memory", "error": "it calls itself too deeply"}
    except (QuickJSError, ValueError, TypeError):
        return {"fault": "raised", "error": "its answer is no JSON"}


def _prologue(given: dict[str, Any]) -> str:
    """As text that is parsed: in a literal a key named __proto__ would be the object's prototype."""
    text = json.dumps(json.dumps(given))
    return f"for (const [name, value] of Object.entries(JSON.parse({text}))) globalThis[name] = value ?? undefined;"


def _epilogue(result: str) -> str:
    return f"""(() => {{
    const answer = value => {{
        if (value instanceof Promise) throw new TypeError("it gives back a promise, and nothing here waits");
        return value === undefined ? null : value;
    }};
    if (typeof transform === "function") return JSON.stringify([true, answer(transform(doc))]);
    if (typeof {result} === "undefined") throw new ReferenceError("it defines neither transform(doc) nor {result}");
    return JSON.stringify([false, answer({result})]);
}})()"""


def _raised(code: str, error: Any) -> dict[str, Any]:
    lines, stack = code.count("\n") + 1, error.stack or ""
    found = [int(number) for number in _LINE.findall(stack)]
    if error.name == "SyntaxError" and error.stack is not None and _COMPILING.fullmatch(stack):
        line = min(found[0], lines) if found else None
        return {"fault": "syntax", "error": error.message[:_MOST_ERROR], "line": line}
    line = next((number for number in found if number <= lines), None)
    return {"fault": "raised", "error": f"{error.name}: {error.message}"[:_MOST_ERROR], "line": line}


def serve(read: BinaryIO, write: BinaryIO) -> None:
    answer(write, {"ready": run({**_NOTHING, "given": {}}).get("value") == 1})
    while len(head := read.read(4)) == 4:
        asked = json.loads(read.read(struct.unpack(">I", head)[0]))
        try:
            answer(write, run(asked))
        except MemoryError:
            answer(write, {"fault": "memory", "error": "it ran out of memory"})
        except RecursionError:
            answer(write, {"fault": "output", "error": "its answer is nested too deeply"})


def answer(write: BinaryIO, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    write.write(struct.pack(">I", len(body)) + body)
    write.flush()


_NOTHING = {
    "code": "var result = 1", "result": "result", "timeout_s": 60.0, "max_memory_bytes": 64 << 20,
    "max_output_bytes": 1024,
}  # fmt: skip


if __name__ == "__main__":
    seal()
    limit()
    serve(sys.stdin.buffer, sys.stdout.buffer)
