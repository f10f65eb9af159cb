"""Configuration: one value from kg.toml, options and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.config import load
from kg.errors import ConfigError


def project(tmp_path: Path, content: str) -> Path:
    (tmp_path / "kg.toml").write_text(content, encoding="utf-8")
    return tmp_path


def test_an_option_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    root = project(tmp_path, 'base = "http://file/"')
    env = {"KG_BASE": "http://env/"}
    assert load(root, environ={}).base == "http://file/"
    assert load(root, environ=env).base == "http://env/"
    assert load(root, environ=env, base="http://option/").base == "http://option/"


def test_without_settings_the_base_is_this_machine(tmp_path: Path) -> None:
    assert load(project(tmp_path, ""), environ={}).base == "http://localhost:8000/"


def test_the_clock_of_a_release_can_be_set(tmp_path: Path) -> None:
    assert load(project(tmp_path, ""), environ={"SOURCE_DATE_EPOCH": "86400"}).date() == "1970-01-02"
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH must be seconds since 1970, not 'soon'"):
        load(tmp_path, environ={"SOURCE_DATE_EPOCH": "soon"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = 3", "title must be a text in quotes, not 3"),
        ("query = 3", r"\[query\] must be a table"),
        ("[query]\ndeadline = 'x'", "query.deadline must be a number, not 'x'"),
        ("[query]\ndeadline = true", "query.deadline must be a number, not True"),
        ("[query]\ndeadline = nan", "query.deadline must be a number, not nan"),
        ("[serve]\nseconds = nan", "serve.seconds must be .*not nan"),
        ("unknown = 1", "unknown setting 'unknown'"),
        ("[serve]\nburst = 0", "serve.burst must be more than 0"),
        ("base = 'http://x/#'", "must have no query, fragment"),
        ("base = 'http://[x/'", "is not an address"),
        *(
            (f'base = "{base}"', "must have no query, fragment, or character that IRIs exclude")
            for base in (r"http://x/\u0001/", r"http://x/\ufdd0/", "http://x/%zz/", "http://x/[/", "http://x:port/")
        ),
        (f"base = 'http://{'x' * 2000}/'", "is longer than 1000 characters"),
        (r'title = "a\u0007"', r"title: the character U\+0007 cannot stand in XML"),
        ('[catalog]\nkeywords = ["x", "\\u0001"]', r"catalog\.keywords: the character U\+0001 cannot stand in XML"),
        ("language = 'a b'", "language 'a b' is no tag of a language"),
        ("language = 'German'", "language 'German' is no tag of a language"),
        ("x = " + "9" * 5000, "not TOML: .* 5000 digits"),
        ("title = My facts", r'not TOML: Invalid value \(at line 1, column 9\); a text stands in quotes: title = "…"'),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"kg\.toml: .*{message}"):
        load(project(tmp_path, content), environ={})


def test_a_byte_order_mark_and_the_line_ends_of_another_system_are_no_settings(tmp_path: Path) -> None:
    (tmp_path / "kg.toml").write_bytes('title = "Brücke"\r\nlanguage = "de"\r\n'.encode("utf-8-sig"))
    assert (load(tmp_path).title, load(tmp_path).language) == ("Brücke", "de")


def test_settings_in_another_encoding_are_named(tmp_path: Path) -> None:
    (tmp_path / "kg.toml").write_bytes('title = "Brücke"\n'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"kg.toml: is not UTF-8 \(byte 0xfc\): save the file as UTF-8"):
        load(tmp_path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "kg.toml").mkdir()
    with pytest.raises(ConfigError, match="is not a regular file"):
        load(tmp_path, environ={})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("catalog = 3", r"\[catalog\] must be a table"),
        ("[catalog]\nkeyword = ['x']", "unknown setting catalog.keyword; known: homepage, "),
        ("[catalog]\nkeywords = 'x'", "catalog.keywords must be a list of texts in quotes, not 'x'"),
        ("[catalog]\nbbox = ['x']", r"catalog.bbox must be a list of numbers, not \['x'\]"),
        ("[catalog]\nbbox = [1, 2, 3]", r"catalog.bbox must be \[west, south, east, north\] in degrees"),
        ("[catalog]\nbbox = [20, 0, 10, 1]", r"catalog.bbox must be \[west, south, east, north\] in degrees"),
        ("[catalog]\nissued = 'May'", "catalog.issued must be a date such as 2030-01-31, not 'May'"),
        ("[catalog]\nissued = 2030-01-31T00:00:00Z", "catalog.issued must be a date such as 2030-01-31"),
        ("[catalog]\nstart = 2030-01-31", "catalog.start and catalog.end must both be set"),
        ("[catalog]\nstart = 2030-01-31\nend = 2030-01-30", "start must not be the later one"),
        ("[catalog]\nhomepage = 'javascript:x'", "catalog.homepage must be an http or https address"),
        ("[catalog]\nplace = 'http://x/ y'", "catalog.place must be an http or https address"),
        ("[catalog]\nemail = 'x'", "catalog.email 'x' is no address"),
        ("[catalog]\nemail = '100%@x'", "catalog.email '100%@x' is no address"),
        ("[links]\nImprint = 'javascript:x'", "links.Imprint must be an address that starts with https://"),
        ("[links]\nImprint = 3", "links.Imprint must be an address that starts with https://"),
        ("[links]\nImprint = 'https://x/ y'", "links.Imprint must be an address that starts with https://"),
        ("links = 'https://x/'", r"\[links\] must be a table"),
        ("[security]\nexpires = 2030-01-31T00:00:00Z", "security.contact must start with mailto:, https:// or tel:"),
        ("[security]\ncontact = 'mailto:x@y'", "security.expires must be a date and time with its zone"),
        ("[security]\ncontact = 'mailto:x@y'\nexpires = 2030-01-31", "security.expires must be a date and time"),
        (
            '[security]\ncontact = "mailto:x\\nExpires: 1"\nexpires = 2030-01-31T00:00:00Z',
            "security.contact must start",
        ),
    ],
)
def test_a_setting_of_the_catalogue_that_cannot_be_used_is_named(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"kg\.toml: .*{message}"):
        load(project(tmp_path, content), environ={})


def test_dates_may_be_written_with_and_without_quotes(tmp_path: Path) -> None:
    content = "[catalog]\nissued = 2030-01-31\nstart = '2030-01-01'\nend = 2030-01-02"
    said = load(project(tmp_path, content), environ={}).catalog
    assert (said.issued, said.start, said.end) == ("2030-01-31", "2030-01-01", "2030-01-02")
