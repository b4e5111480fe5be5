"""What lies under every session: requests' own adapter, with one thing put right."""

from __future__ import annotations

import base64

from requests.adapters import HTTPAdapter
from requests.utils import get_auth_from_url


class Wire(HTTPAdapter):
    """Sends user and password of a proxy as UTF-8: requests takes Latin-1, and fails at anything beyond."""

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        user, password = get_auth_from_url(proxy)
        if not user:
            return {}
        return {"Proxy-Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
