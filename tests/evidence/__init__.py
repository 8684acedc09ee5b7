"""The claims of the project, one file each: reduced in `make test`, at full size in `make evidence`."""
