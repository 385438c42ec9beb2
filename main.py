"""The one door: without arguments it synthesises, with a word it runs a command for people."""

import shutil
import sys


def main(arguments: list[str]) -> int:
    """Exit status: 0 done, 1 refused or failed, 2 wrong usage or settings."""
    if not arguments and shutil.which("node"):
        import bindings

        bindings.load_ahead()
    from errors import RefusedError
    from stacks.command import synth, synthesise

    try:
        if arguments:
            from ops import cli

            cli.run(arguments, synthesise)
        return synth()
    except RefusedError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"error: {error.filename or 'system'}: {error.strerror}", file=sys.stderr)
        print("hint: see that the folder can be written, and that it is no file", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
