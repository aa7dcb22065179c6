"""The book on disk: whole at any moment, written when it changes, safe for curl to read."""

import json
import threading

import pytest

from labs.cloud.mock import book as book_module
from labs.cloud.mock.book import Book, curl_lines, with_addresses

HOSTS = {"web-1.us-east-1.elb.amazonaws.com": {"ips": ["198.51.100.7"], "ports": {"80": 4100}}}


def test_the_format_that_readers_rely_on(tmp_path):
    Book(tmp_path).replace({"80": 1, "443": 2}, HOSTS)
    assert json.loads((tmp_path / "book.json").read_text()) == {
        "endpoints": {"80": 1, "443": 2},
        "hosts": HOSTS | {"198.51.100.7": {"ips": ["198.51.100.7"], "ports": {"80": 4100}}},
    }


def test_an_address_with_an_entry_of_its_own_keeps_it():
    own = {"198.51.100.7": {"ports": {"22": 4022}}}
    assert with_addresses(HOSTS | own)["198.51.100.7"] == {"ports": {"22": 4022}}


def test_names_are_kept_in_lower_case():
    assert list(with_addresses({"Web.Elasticbeanstalk.com": {"ports": {}}})) == [
        "web.elasticbeanstalk.com"
    ]


def test_nothing_is_written_when_nothing_changed(tmp_path, monkeypatch):
    book = Book(tmp_path)
    book.replace({"80": 1}, HOSTS)
    monkeypatch.setattr(book_module, "replace_file", lambda *_: pytest.fail("written again"))
    book.replace({"80": 1}, json.loads(json.dumps(HOSTS)))


def test_books_of_one_instant_have_different_time_stamps(tmp_path, monkeypatch):
    monkeypatch.setattr(book_module.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    book = Book(tmp_path)
    stamps = set()
    for port in range(50):
        book.replace({"80": port}, {})
        stamps.add((tmp_path / "book.json").stat().st_mtime_ns)
    assert len(stamps) == 50


def test_readers_never_see_half_a_book_while_threads_replace_it(tmp_path):
    book, ends = Book(tmp_path), threading.Event()
    book.replace({"80": 1}, HOSTS)
    errors = []

    def read():
        while not ends.is_set():
            try:
                json.loads((tmp_path / "book.json").read_text())
            except ValueError as error:
                errors.append(error)

    def write(start):
        for port in range(start, start + 40):
            book.replace({"80": port}, HOSTS)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(start,)) for start in (1, 100, 200)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ends.set()
    reader.join()
    assert not errors
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".curlrc", "book.json"]  # and no temporary file


@pytest.mark.parametrize("host", ["", "a b", 'x"\nurl = "http://evil.example', "a/b", "a\0"])
def test_a_host_that_could_speak_to_curl_is_refused(tmp_path, host):
    with pytest.raises(ValueError, match="names and addresses"):
        Book(tmp_path).replace({}, {host: {"ports": {}}})


def test_listed_ports_come_before_the_one_that_refuses(tmp_path):
    lines = list(curl_lines({"fd00::5": {"ports": {"80": 41}}}, 50, 99, tmp_path))
    assert lines[:2] == [
        'connect-to = "[fd00::5]:80:127.0.0.1:41"',
        'connect-to = "[fd00::5]::127.0.0.1:99"',
    ]
    assert 'proxy = "http://127.0.0.1:50"' in lines
