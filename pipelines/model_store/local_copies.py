"""Local copies of artifacts that MLflow keeps elsewhere; those that are on this machine are read in place."""

import atexit
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.uri import is_local_uri

from pipelines.storage.atomic_files import scratch_folder


class LocalCopies:
    """Downloads artifacts below a folder; the copies are removed when the process ends, or by the next one."""

    def __init__(self, root: Path, tracking_uri: str) -> None:
        self._root, self._tracking_uri = root, tracking_uri
        self._scratch: Path | None = None
        self._folders: dict[str, Path] = {}

    def folder(self, location: str) -> Path:
        """Return a folder of artifacts, downloaded once; one on this machine is read in place.

        Raises:
            OSError, MlflowException: it is missing, empty or unavailable.
        """
        if is_local_uri(location):
            return self.file(location, "")
        if location not in self._folders:
            self._folders[location] = self.file(location, "")
        return self._folders[location]

    def file(self, location: str, path: str) -> Path:
        """Return a file below a location as it is now. Raises as `folder` does."""
        if is_local_uri(location):
            local = Path(local_file_uri_to_path(location)) / path
        else:
            repository = get_artifact_repository(location, tracking_uri=self._tracking_uri)
            local = Path(repository.download_artifacts(path, mkdtemp(dir=self._folder())))
        if not local.exists() or (local.is_dir() and not any(local.iterdir())):
            raise FileNotFoundError(f"no such file or folder: '{location}{'/' if path else ''}{path}'")
        return local

    def names(self, location: str, path: str = "", *, within: bool = False) -> list[str]:
        """Return the paths of the files in a folder below a location, also those `within` its folders."""
        listed = self._listed(location, path)
        names = [file.path for file in listed if not file.is_dir]
        for folder in (file.path for file in listed if within and file.is_dir):
            names += self.names(location, folder, within=True)
        return names

    def folders(self, location: str, path: str = "") -> list[str]:
        """Return the paths of the folders in a folder below a location."""
        return [file.path for file in self._listed(location, path) if file.is_dir]

    def _listed(self, location: str, path: str) -> list[FileInfo]:
        return list(get_artifact_repository(location, tracking_uri=self._tracking_uri).list_artifacts(path or None))

    def _folder(self) -> Path:
        if self._scratch is None:
            stack = ExitStack()
            self._scratch = stack.enter_context(scratch_folder(self._root))
            atexit.register(stack.close)
        return self._scratch
