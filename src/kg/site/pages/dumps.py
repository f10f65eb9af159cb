"""``/dumps/``: the files of the release, with size, count and SHA-256; whole or by range, with the hash as ETag."""

from __future__ import annotations

from base64 import b64encode

from flask import Blueprint, Response, request, send_file

from kg import media
from kg.errors import ReleaseError
from kg.fixity import file_entry
from kg.site.answers import signposting
from kg.site.answers.address import here
from kg.site.answers.ranges import require, tidy
from kg.site.answers.respond import NO_FILE, cors, html, not_found
from kg.site.data.jsonld import dataset
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("dumps", __name__)

_CSV = "text/csv; charset=utf-8; header=present"


@bp.get("/dumps/")
def dumps() -> Response:
    """The list of files."""
    site = current()
    names = [(entry, entry.path.removeprefix("dumps/")) for entry in site.release.dumps()]
    files = [(entry, name, media.DUMPED.get(name.partition(".")[0], "")) for entry, name in names]
    return html(lambda: render("dumps.html", files=files, jsonld=dataset(site)))


@bp.get("/dumps/<path:name>")
def dump(name: str) -> Response:
    """A file. Only files that the manifest lists are there, whatever the path says."""
    site = current()
    entry = next((e for e in site.release.dumps() if e.path == f"dumps/{name}"), None)
    if entry is None:
        raise not_found(NO_FILE, name=name)
    extension = name.rpartition(".")[2]
    format_ = media.RDF_BY_EXTENSION.get(extension)
    type_ = (
        media.content_type(format_.media_type)
        if format_
        else _CSV
        if extension == "csv"
        else "application/octet-stream"
    )
    response = whole_file(site, entry.path, type_)
    response.headers["Link"] = signposting.header(signposting.file(site, here()))
    return cors(response)


def whole_file(site: Site, path: str, type_: str) -> Response:
    """A file of the release as it lies there, never held whole; ``path``: as the manifest has it.

    :raises ReleaseError: if it is not what it was: cut, it would look whole, with the checksum of all of it.
    :raises PreconditionFailed: if the client names another file than this one.
    """
    release = site.release
    entry = release.files[path]
    _check(site, path)
    require(request.environ, f'"{entry.sha256}"', release.sealed_at)
    tidy(request.environ, entry.size, entry.sha256, release.sealed_at)
    response = send_file(
        release.path / path,
        mimetype="application/octet-stream",  # what Flask is told of text, it would give another charset
        etag=entry.sha256,
        conditional=True,
        max_age=0,
        last_modified=release.sealed_at,
    )
    response.content_type = type_
    # RFC 9530: over the whole file, also in an answer that carries a part of it.
    response.headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(entry.sha256)).decode()}:"
    return response


def _check(site: Site, path: str) -> None:
    """Compare a file with the seal again, if somebody has written to it since the release was opened.

    :raises ReleaseError: if it is not what it was.
    """
    file, entry = site.release.path / path, site.release.files[path]
    try:
        found = file.stat()
        if found.st_size != entry.size:
            raise ReleaseError(f"{file}: has {found.st_size} bytes where the release was sealed with {entry.size}")
        if found.st_mtime_ns > site.release.opened_at and not _is_same(site, path, found.st_mtime_ns):
            raise ReleaseError(f"{file}: was changed after the release was sealed")
    except OSError as e:
        raise ReleaseError(f"{file}: cannot be read: {e.strerror}") from e


@per_site(32)
def _is_same(site: Site, path: str, _changed: int) -> bool:
    """Whether a file that somebody wrote to has the bytes that were sealed."""
    found = file_entry(site.release.path, site.release.path / path)
    return found.sha256 == site.release.files[path].sha256
