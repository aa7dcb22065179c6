"""What a machine does with its user data: run it, or say why nothing is run."""

import base64
import binascii
from typing import Any

#: Bytes, before Base64. Source: Amazon EC2 User Guide, "Run commands when you launch an EC2
#: instance with user data input".
LIMIT = 16_384


def content(record: Any) -> bytes:
    """The bytes of moto's record: Base64 mostly; CloudFormation's may be plain text."""
    text = str(record or "")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


def why_not(data: bytes) -> str | None:
    """Why the mock executes nothing of this user data; None for a Python script, which it runs.

    cloud-init takes more kinds than Python scripts. Source: cloud-init's documentation, "User
    data formats": what begins with "#!" is a script, which its first line says how to run.
    """
    first = data.partition(b"\n")[0]
    if not data.strip():
        return "There is no user data"
    if data.startswith(b"\x1f\x8b"):
        return "The user data is compressed (gzip), which the mock does not unpack"
    if data.startswith(b"#cloud-config"):
        return "The user data is a #cloud-config, which the mock does not carry out"
    if b"\nMIME-Version:" in data[:2000] or data.startswith((b"MIME-Version:", b"Content-Type:")):
        return "The user data is a MIME archive, which the mock does not take apart"
    if not _is_text(data):
        return "The user data is no text"
    if not data.startswith(b"#!"):
        return _no_script(data)
    if first.endswith(b"\r"):
        return "The script's lines end as on Windows (CR LF), so Linux would not find its program"
    if b"python" not in first.rpartition(b"/")[2]:
        program = first[2:].decode().strip() or "nothing"
        return f"The script's first line asks for {program}; the mock runs Python scripts only"
    return None


def _no_script(data: bytes) -> str:
    if data.lstrip().startswith(b"#!"):
        return "The #! must be the very first characters of user data: something is before them"
    if content(data.decode()).startswith(b"#!"):
        return "The user data is Base64 of Base64: boto3 encodes it, so give it the plain text"
    return "The user data does not begin with #!, so it is no script"


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False
