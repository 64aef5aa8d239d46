"""Finds git repositories below a folder and clones them at a commit. Fetches nothing."""

import pathlib
import shutil
import subprocess


def found(folder, repository):
    """The git directory or checkout of `OWNER/NAME`: OWNER+NAME/repo, OWNER+NAME, NAME or NAME.git below the folder."""
    owner, name = repository.split("/")
    places = [f"{owner}+{name}/repo", f"{owner}+{name}", name, f"{name}.git"]
    there = [folder / place for place in places if is_repository(folder / place)]
    if not there:
        raise RuntimeError(f"no repository of {repository} below {folder}: tried {', '.join(places)}")
    return there[0].resolve()


def is_repository(folder):
    return (folder / ".git").exists() or (folder / "HEAD").is_file()


def clone(source, commit, tree):
    """A clone of its own, at a commit; the full id of the commit."""
    shutil.rmtree(tree, ignore_errors=True)
    pathlib.Path(tree).parent.mkdir(parents=True, exist_ok=True)
    git(["clone", "--quiet", "--no-checkout", source, tree], source)
    git(["checkout", "--quiet", "--detach", commit], tree)
    return git(["rev-parse", "HEAD"], tree).strip()


def git(words, folder):
    ran = subprocess.run(["git", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"`git {' '.join(map(str, words))}` in {folder}: {ran.stderr.strip()}")
    return ran.stdout


def tracked(tree, name):
    """Tracked files of a name, by path from the root, the root's own first."""
    listed = git(["ls-files", "-z", name, f"**/{name}"], tree).split("\0")
    return sorted({pathlib.Path(path) for path in listed if path}, key=lambda path: (len(path.parts), path))
