"""What every lesson uses: packing a Lambda function, reading its log."""

from labs.course.logs import log
from labs.course.packaging import package

__all__ = ["log", "package"]
