"""API Gateway's data plane: the URLs of REST and HTTP APIs, answered (moto answers none).

app (WSGI, the edge) <- apis (what moto holds), routing, events, answers, errors (pure)
"""

from .app import Gateway
from .messages import RAW_HEADERS

__all__ = ["RAW_HEADERS", "Gateway"]
