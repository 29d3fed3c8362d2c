"""Runs llama.cpp's Python scripts as people do, in this process: their imports take longer than their work."""

import io
import logging
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path


def script(llama_cpp: Path, name: str, *args: object) -> str | None:
    """What went wrong, in one line, or None."""
    said = io.StringIO()
    logging.getLogger().handlers.clear()
    argv = sys.argv
    sys.argv = [name, *map(str, args)]
    try:
        with redirect_stderr(said), redirect_stdout(said):
            runpy.run_path(str(llama_cpp / name), run_name="__main__")
        return None
    except SystemExit as end:
        return None if not end.code else f"exit {end.code}: {said.getvalue().strip().splitlines()[-1:]}"
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    finally:
        sys.argv = argv
