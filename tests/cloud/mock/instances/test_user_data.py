"""What is a Python script, and what is said of all else."""

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.types import Base64EncodedString

from labs.cloud.mock.instances.user_data import content, why_not


@pytest.mark.parametrize(
    "first", ["#!/usr/bin/env python3", "#!/usr/bin/python", "#! /opt/python3.12/bin/python3.12 -u"]
)
def test_python_scripts_run(first):
    assert why_not(f"{first}\nprint('ä')\n".encode()) is None
    assert why_not(first.encode()) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no user data"),
        (b"\n \n", "no user data"),
        (b"#!/bin/bash\npython3 -m http.server", "asks for /bin/bash"),
        (b"#!/opt/python/run.sh\n", "asks for /opt/python/run.sh"),
        (b"#!\n", "asks for nothing"),
        (b"\n#!/usr/bin/env python3\n", "very first characters"),
        (b"#!/usr/bin/env python3\r\nprint(1)\r\n", "CR LF"),
        (b"print(1)\n", "does not begin with #!"),
        (b"#cloud-config\nruncmd: []\n", "#cloud-config"),
        (gzip.compress(b"#!/usr/bin/env python3", mtime=0), "gzip"),
        (b"Content-Type: multipart/mixed\nMIME-Version: 1.0\n\n", "MIME"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n", "MIME"),
        (b"\x7fELF\0\0", "no text"),
        (b"\xff\xfe#\0!\0", "no text"),
        (base64.b64encode(b"#!/usr/bin/env python3\nprint(1)"), "Base64 of Base64"),
    ],
)
def test_all_else_is_not_run_and_the_reason_named(data, reason):
    assert reason in why_not(data)


@given(st.binary(max_size=200))
def test_no_user_data_is_too_strange(data):
    assert why_not(data) is None or why_not(data)
    encoded = Base64EncodedString(base64.b64encode(data).decode())
    assert content(encoded) == data


@pytest.mark.parametrize("record", [None, "", "#!/usr/bin/env python3\n"])
def test_records_that_are_not_base64(record):
    assert content(record) == (record or "").encode()
