"""Entry point: synthesises, or runs another command."""

import gc
import sys
from importlib import import_module
from io import TextIOWrapper


def main(arguments: list[str]) -> int:
    """Synthesise, which is what `synth` or nothing in `arguments` asks for, or run another command.

    Exit status: 0 done, 1 refused or failed, 2 wrong usage or settings, 3 found what stops an apply (review,
    approval compare), 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal decides its own encoding; files and pipes get UTF-8 on every machine.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    from errors import FAILED, Problem, RefusedError

    try:
        if arguments in ([], ["synth"]):
            return _synth()
        from ops import cli

        # It loads the settings, which not every command needs.
        return cli.run(arguments, lambda *given: import_module("stacks.command").synthesise(*given))
    except RefusedError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        (hint, *_) = getattr(error, "__notes__", ["see that the folder can be written, and that it is not a file"])
        print(Problem(where=str(error.filename or "system"), what=str(error.strerror), hint=hint), file=sys.stderr)
        return FAILED


def _synth() -> int:
    """Synthesise as fast as possible."""
    from ops.waiting import waiting

    with waiting("synthesising, which takes longest the first time"):
        import bindings

        gc.disable()  # a synthesis ends within seconds, and nearly all that it makes is in use until then
        bindings.install(check_types=False)  # mypy has checked the calls
        import cdktf_cdktf_provider_aws  # noqa: F401 - Node loads it while Python imports the rest

        from stacks.command import synth

        return synth()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
