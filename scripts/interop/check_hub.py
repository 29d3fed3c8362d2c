"""Whether huggingface_hub reads what Tabtune pushed, and writes by the same routes.

    python check_hub.py CASES.json

CASES.json has the `token`, the SHA-256 `hashes` of all files by path, the repository `ours` that holds them, the folder `source` that
holds them, and the repository `theirs` to make of it. HF_ENDPOINT names the Hub. Appends one JSON object per check to the file that
CHECKS names: `name`, `ok`, `detail`.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import huggingface_hub
from huggingface_hub import CommitOperationAdd, HfApi, snapshot_download
from huggingface_hub.errors import HfHubHTTPError

given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
api = HfApi(token=given["token"])


def check(name: str, work) -> None:
    try:
        detail = work()
    except Exception as error:
        detail = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    ok = detail is None
    line = {"name": f"hub, {name}", "ok": ok, "detail": detail or f"huggingface_hub {huggingface_hub.__version__}"}
    with open(os.environ["CHECKS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def account() -> str | None:
    found = api.whoami()
    names = [found["name"], *(org["name"] for org in found["orgs"])]
    return None if names == ["ada", "lab", "club"] else repr(found)


def download() -> str | None:
    folder = Path(snapshot_download(given["ours"], token=given["token"]))
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".gitattributes"
    }
    different = sorted(set(found.items()) ^ set(given["hashes"].items()))
    return repr(different) if different else None


def upload() -> str | None:
    api.create_repo(given["theirs"], private=True)
    api.upload_folder(repo_id=given["theirs"], folder_path=given["source"], commit_message="Add everything")
    info = api.model_info(given["theirs"])
    return None if info.private else "it is public"


def upload_again() -> str | None:
    before = api.model_info(given["theirs"]).sha
    api.upload_folder(repo_id=given["theirs"], folder_path=given["source"])
    after = api.model_info(given["theirs"]).sha
    return None if before == after else f"{before} became {after}"


def refused(status: int, words: str, work) -> str | None:
    try:
        work()
    except HfHubHTTPError as error:
        told = error.response.status_code == status and words in str(error)
        return None if told else f"HTTP {error.response.status_code}: {error}"
    return "it was accepted"


def stale() -> str | None:
    add = CommitOperationAdd("x.txt", b"x")
    parent = "0" * 40
    return refused(
        412,
        "A commit has happened since",
        lambda: api.create_commit(given["ours"], [add], commit_message="x", parent_commit=parent),
    )


check("huggingface_hub knows whose the token is", account)
check("snapshot_download gives the bytes that Tabtune pushed", download)
check("upload_folder pushes them by the same routes", upload)
check("upload_folder again makes no commit", upload_again)
check(
    "a second create_repo is refused as on the Hub",
    lambda: refused(409, "You already created this model repo", lambda: api.create_repo(given["ours"])),
)
check(
    "a token that can only read is refused as on the Hub",
    lambda: refused(403, "rights to create a model", lambda: HfApi(token="hf_read").create_repo("ada/new")),
)
check("a parent that is not the newest is refused as on the Hub", stale)
