"""A private S3 server in this process: made empty, reached on a port of this machine, gone afterwards."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4


@dataclass(frozen=True)
class Bucket:
    """A bucket and how a test writes to it."""

    client: Any
    name: str

    @property
    def address(self) -> str:
        """The address of the bucket."""
        return f"s3://{self.name}"

    def put(self, path: Path, key: str) -> str:
        """Write a file, or the files of a folder below a key; return the address."""
        for file in [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]:
            name = key if file == path else f"{key}/{file.relative_to(path).as_posix()}"
            self.client.put_object(Bucket=self.name, Key=name, Body=file.read_bytes())
        return f"{self.address}/{key}"

    def remove(self, key: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def get(self, key: str) -> bytes:
        """Return what an object has."""
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content


@dataclass(frozen=True)
class ObjectStore:
    """A server, and the variables of the environment by which clients find it."""

    environment: dict[str, str]

    def fresh_bucket(self) -> Bucket:
        """Make an empty bucket."""
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        name = f"bucket-{uuid4().hex[:12]}"
        client.create_bucket(Bucket=name)
        return Bucket(client, name)


@contextmanager
def private_object_store() -> Iterator[ObjectStore]:
    """Yield a new server."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield ObjectStore(
            {
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "reader",
                "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests",
            }
        )
    finally:
        server.stop()
