"""Puts a handover into its folder, and keeps what people changed there."""

import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from errors import Problem, RefusedError, refused
from errors.shown import counted, shown
from ops.handover.comparison import FolderComparison, compared, difference
from ops.handover.copying import copy_added
from ops.handover.formatting import HclFormatter
from ops.handover.git_files import GIT_FILES
from ops.handover.last_handover import MANIFEST, MEMORY, is_memory, last_handover, remembered, with_unix_line_ends
from ops.handover.lost_resources import in_tofu_alone, lost, moved_away
from ops.handover.paths import CONFIGURES_TERRAFORM, is_below, refuse_links

_OF_TERRAFORM = re.compile(r"(^|/)\.|\.tfstate(\.|$)")
"""Hidden files, among them Terraform's folder and lock file, and states."""


class FolderChange:
    """What a handover makes of a folder."""

    def __init__(
        self, files: Mapping[str, bytes], destination: Path, formatter: HclFormatter, *, overwrite: bool = False
    ) -> None:
        """Compare `files` with what stands below `destination`. Those of the handover's memory are only replaced.

        `overwrite` keeps nothing that people changed in a file of the handover.

        Raises RefusedError for a path that leads out of the folder, or where something else stands.
        """
        self.destination = destination
        _refuse_other_folders(destination, {path.partition("/")[0] for path in files})
        refuse_links(destination, [MANIFEST, MEMORY])
        self.last = last_handover(destination)
        self._of_people = [it for it in GIT_FILES if (destination / it).exists() and it not in self.last.digests]
        left = {path: content for path, content in files.items() if path not in self._of_people}
        self.new = {path: content for path, content in left.items() if not is_memory(path)}
        self.memory = remembered(self.new, {path: content for path, content in files.items() if is_memory(path)})
        _refuse_strays([*files])
        paths = {*self.new, *self.last.digests}
        refuse_links(destination, {*paths, *self.memory})
        self.present = _present(destination, paths)
        self.compared = (
            FolderComparison(files={path: self.new.get(path) for path in paths}, notes={}, conflicts=[])
            if overwrite
            else compared(self.new, self.present, self.last, formatter)
        )
        self._overwritten = self._changed_by_people() if overwrite else []

    def refuse_conflicts(self, *, mark_conflicts: bool = False) -> None:
        """Raises RefusedError with every file that people and the new handover changed differently.

        With `mark_conflicts`, only those without two texts: a file is gone, or is no text.
        """
        if conflicts := [it for it in self.compared.conflicts if not mark_conflicts or it.marked is None]:
            raise RefusedError(
                [problem for it in conflicts for problem in it.problems(self.destination)],
                details="\n".join(it.details for it in conflicts),
            )

    def refuse_losses(self, addresses: Mapping[str, Collection[str]]) -> None:
        """Raises RefusedError with each resource that people left out, so that Terraform would destroy it.

        So does a resource that people moved to another address, and that is written at its old one nevertheless.
        Those that people moved to files which OpenTofu reads and Terraform does not are named on stderr.

        `addresses` are those of the resources that the handover writes, by the folders of stacks.
        """
        hint = (
            "write a `moved` block if it has another address now, a `removed` block if Terraform is to destroy or "
            "forget it, or remove it in the project"
        )
        problems = []
        for target, files in self.stacks_to_validate(addresses, unchanged_too=True).items():
            new = {
                path.removeprefix(f"{target}/"): it for path, it in self.new.items() if path.startswith(f"{target}/")
            }
            for it in moved_away(new, files, addresses[target]):
                what = f"the move from {it.old} to {it.new} cannot stay, because the handover writes {it.old}"
                undo = "exchange `from` and `to` in it if Terraform applied it, and remove it if not"
                also = f"; remove {it.new} from {it.new_in}" if it.new_in else ""
                problems.append(Problem(where=str(self.destination / target / it.file), what=what, hint=undo + also))
            if new.items() <= files.items():
                continue  # nobody changed a file of the handover
            for address in in_tofu_alone(new, files, addresses[target]):
                what = f"{address} is in a file for OpenTofu alone; Terraform would destroy it"
                print(f"{self.destination / target}: {what}", file=sys.stderr)
            for file, address in lost(new, files, addresses[target]):
                what = f"{address} is in no file any more, and no `moved` or `removed` block says what becomes of it"
                problems.append(Problem(where=str(self.destination / target / file), what=what, hint=hint))
        if problems:
            raise RefusedError(problems)

    def refuse_differences(self) -> None:
        """Raises RefusedError with the differences between the folder and what the handover makes of it."""
        self.refuse_conflicts()
        changed = {path: it for path, it in self.compared.files.items() if it != self.present[path]}
        line_ends = [path for path, it in changed.items() if _is_same_text(it, self.present[path])]
        changed = {path: it for path, it in changed.items() if path not in line_ends}
        if line_ends:
            files = counted(len(line_ends), "file differs", "files differ")
            print(f"{self.destination}: {files} in their line ends only", file=sys.stderr)
        lines = [line for path in sorted(changed) for line in difference(path, self.present[path], changed[path])]
        kept = _present(self.destination, [*self.memory])
        if changed:
            what = f"{counted(len(changed), 'file')} would be written differently"
        elif self._forgotten() or not all(_is_same_text(content, kept[path]) for path, content in self.memory.items()):
            what = f"every file is up to date, but not {MANIFEST} and {MEMORY}"
        else:
            return
        hint = "run the same command without --check, and commit what it writes"
        raise refused(str(self.destination), what, hint, details="".join(lines))

    def put(self, *, mark_conflicts: bool = False) -> None:
        """Write the files, and say what was kept, merged and removed.

        `mark_conflicts` writes files with conflicts, in which markers surround both versions, and raises RefusedError
        with their names. With conflicts that cannot be written so, it writes nothing.
        """
        if mark_conflicts:
            self.refuse_conflicts(mark_conflicts=True)
        conflicts = self.compared.conflicts if mark_conflicts else []
        marked = {it.path: it.marked() for it in conflicts if it.marked is not None}
        files = dict(self.compared.files) | marked
        changed = {path: content for path, content in files.items() if content != self.present[path]}
        try:
            for path in [*(it for it in changed if changed[it] is None), *self._forgotten()]:
                (self.destination / path).unlink(missing_ok=True)
                _remove_empty(self.destination, (self.destination / path).parent)
            write({**{path: it for path, it in changed.items() if it is not None}, **self.memory}, self.destination)
        except OSError as error:
            where = str(error.filename or self.destination)
            raise refused(where, f"cannot be written: {error.strerror}", "correct this, and start again") from None
        gone = {path: self.present[path] for path in self.last.digests if path not in self.new and files[path] is None}
        for line in (*self._notes(), *_removed_stacks(self.destination, gone, self.new), *self._added_files()):
            print(line, file=sys.stderr)
        if marked:
            hint = "keep what is right in the file, which has both versions now, and delete the markers in it"
            found = ((str(self.destination / it.path), it.what) for it in self.compared.conflicts)
            raise RefusedError([Problem(where=where, what=what, hint=hint) for where, what in found])

    def stacks_to_validate(self, targets: Iterable[str], *, unchanged_too: bool = False) -> dict[str, dict[str, bytes]]:
        """The files of each stack that this handover changes, as they will be, with those that people added.

        A stack with a conflict is left out. `unchanged_too` takes also the stacks that this handover does not change.
        """
        files = self.compared.files
        changed = {path for path, content in files.items() if content != self.present[path]}
        conflicts = {it.path for it in self.compared.conflicts}
        found = {}
        for target in targets:
            inside = {path for path in files if path.startswith(f"{target}/")}
            if (unchanged_too or inside & changed) and not inside & conflicts:
                contents = {path.removeprefix(f"{target}/"): it for path in inside if (it := files[path]) is not None}
                found[target] = self._added_to(target) | contents
        return found

    def lay_out(self, folder: Path) -> None:
        """Write below another folder what will be in this one, with what people added; Terraform's own files apart.

        A stack of people may take a module from the folder beside it.
        """
        copy_added(self.destination, folder, self.compared.files.keys())
        for path, content in self.compared.files.items():
            if content is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)

    def _added_to(self, target: str) -> dict[str, bytes]:
        folder = self.destination / target
        paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
        added = [path for path in paths if f"{target}/{path.as_posix()}" not in self.compared.files]
        return {
            path.as_posix(): (folder / path).read_bytes()
            for path in added
            if path.name == ".terraform.lock.hcl"
            or not (_OF_TERRAFORM.search(path.as_posix()) or CONFIGURES_TERRAFORM.search(path.as_posix()))
        }

    def is_as_handed_over(self, path: str) -> bool:
        """Whether a file will be as the handover writes it, without anything of people."""
        return path in self.new and path not in self.compared.notes

    def merged_text(self, path: str) -> str | None:
        """What a file will be that has changes of people and of this handover; None for any other file."""
        content = self.compared.files.get(path)
        if content is None or path not in self.compared.notes or content == self.present[path]:
            return None
        return content.decode(errors="replace")

    def _forgotten(self) -> list[str]:
        """Files of the memory of earlier handovers."""
        found = (self.destination / MEMORY).rglob("*")
        paths = {path.relative_to(self.destination).as_posix() for path in found if path.is_file()}
        return sorted(paths - {*self.memory})

    def _changed_by_people(self) -> list[str]:
        """The files that people changed or added, of which this handover has another version or none."""
        return [
            path
            for path, now in sorted(self.present.items())
            if now is not None
            and now != self.new.get(path)
            and not (path in self.last.digests and self.last.is_unchanged(path, now))
        ]

    def _notes(self) -> Iterator[str]:
        for path in self._overwritten:
            what = "overwritten" if path in self.new else "removed"
            yield f"{what}: {self.destination / path}, which was changed since the last handover"
        for path in self._of_people:
            yield f"kept: {self.destination / path}, which no handover wrote"
        for path, note in sorted(self.compared.notes.items()):
            yield note.format(self.destination / path)

    def _added_files(self) -> Iterator[str]:
        """A line for each file that no handover wrote, in the folders of stacks and above; Terraform's own apart."""
        folders = [self.destination / folder for folder in _stack_folders(self.new)]
        above = {it for folder in folders for it in folder.parents if it.is_relative_to(self.destination)}
        inside = {path for folder in folders for path in folder.rglob("*")}
        found = inside | {path for folder in above for path in folder.iterdir()}
        for path in sorted(it.relative_to(self.destination).as_posix() for it in found if it.is_file()):
            if path not in self.new and not _OF_TERRAFORM.search(path):
                yield f"kept: {self.destination / path}, which no handover wrote"


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files below `folder`, each at once. A path that leads out of it is refused."""
    _refuse_strays([*files])
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            target.rmdir()  # it is empty, see _present
        draft = target.with_name(".handed-over-draft")
        draft.unlink(missing_ok=True)  # a link of this name would be followed
        draft.write_bytes(content)
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)


def _refuse_other_folders(destination: Path, own: Collection[str]) -> None:
    """Refuse a folder that no handover wrote and that has other things than what is written: files of `own` names."""
    hint = "name an empty folder with --out, or one that a handover wrote"
    if destination.exists() and not destination.is_dir():
        raise refused(str(destination), "is a file", "name a folder with --out")
    if destination.resolve() == destination.resolve().parent:
        raise refused(str(destination), "is the root of all folders", hint)
    if not destination.is_dir() or (destination / MANIFEST).exists():
        return
    others = sorted(it.name for it in destination.iterdir() if not it.name.startswith(".") and it.name not in own)
    if others:
        raise refused(str(destination), f"has {shown(others[0])}, and was not written by a handover", hint)


def _refuse_strays(paths: Collection[str]) -> None:
    """Paths contain names from the JSON: refuse those that lead out, and files where other files need a folder."""
    hint = "rename the block that it is named after, and synthesise again"
    folders = {str(folder) for path in paths for folder in Path(path).parents}
    problems = [Problem(where=it, what="is outside the folder to write", hint=hint) for it in paths if not is_below(it)]
    problems += [Problem(where=it, what="would be a file and a folder", hint=hint) for it in paths if it in folders]
    if problems:
        raise RefusedError(problems)


def _is_same_text(one: bytes | None, other: bytes | None) -> bool:
    """Whether two contents differ in their line ends at most."""
    return one is not None and other is not None and with_unix_line_ends(one) == with_unix_line_ends(other)


def _present(folder: Path, paths: Collection[str]) -> dict[str, bytes | None]:
    """The content of each file, None if there is none. An empty folder in place of a file counts as none."""
    found: dict[str, bytes | None] = {}
    problems: list[Problem] = []
    for path in sorted(paths):
        try:
            found[path] = (folder / path).read_bytes()
        except FileNotFoundError:
            found[path] = None
        except OSError as error:
            found[path] = None
            if not ((folder / path).is_dir() and not any((folder / path).iterdir())):
                what, hint = f"cannot be read as a file: {error.strerror}", "move what stands there, and start again"
                problems.append(Problem(where=str(folder / path), what=what, hint=hint))
    if problems:
        raise RefusedError(problems)
    return found


def _removed_stacks(destination: Path, gone: Mapping[str, bytes | None], new: Collection[str]) -> Iterator[str]:
    """Two lines for each stack that is no longer there. `gone` is what its files were, None if they were missing."""
    for folder in _stack_folders(gone):
        if any(path.startswith(folder) for path in new):
            continue
        place, count = destination / folder, sum(it is not None for path, it in gone.items() if path.startswith(folder))
        files = counted(count, "file")
        if place.is_dir():
            stay = sorted(f"{it.name}/" if it.is_dir() else it.name for it in place.iterdir())
            yield f"removed: {files} of {place}; these stay: {', '.join(stay)}"
        else:
            yield f"removed: {place} ({files})"
        yield f"the resources of {place.name} still exist, unless you destroyed them"


def _stack_folders(paths: Collection[str]) -> list[str]:
    """The folders of stacks, each with a slash at its end. Each has a README.md; so may a folder inside one."""
    found: list[str] = []
    for folder in sorted(path.removesuffix("README.md") for path in paths if path.endswith("/README.md")):
        if not found or not folder.startswith(found[-1]):
            found.append(folder)
    return found


def _remove_empty(destination: Path, folder: Path) -> None:
    while folder != destination and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
