"""Requests of an ASGI application as regions: Starlette, FastAPI, Django and others.

    app.add_middleware(ProfilerMiddleware)          # Starlette, FastAPI
    application = ProfilerMiddleware(application)   # any other
"""

import sys

from . import _servers


class ProfilerMiddleware:
    """Middleware: each request, and each connection of a websocket, is a call of a region with the name of
    its method and route, "GET /items/{item_id}", and what the application records inside is below it.

    app: the application. manager: a ProfileManager; None for the process-wide one. switch: the name of a
    header or of a parameter of the query, in whatever case; the run records while there is a request under
    way that has it, with the value 1, true, yes or on, and these requests alone have a region. max_names:
    how many regions there may be; requests beyond are "GET (others)". Routes are known of Starlette, FastAPI
    and Django; of other applications each path has a region.

    A `traceparent` of the request is the metadata `trace_id` of the calls inside. Without a run the
    application is called as it is. Raises TypeError or ValueError for arguments that are not that.
    """

    def __init__(self, app, *, manager=None, switch=None, max_names=1000):
        if not callable(app):
            raise TypeError(f"app takes an ASGI application, got {app!r}")
        self.app = app
        self._requests = _servers.Requests(manager, switch, max_names)

    async def __call__(self, scope, receive, send):
        requests = self._requests
        if scope["type"] not in ("http", "websocket") or requests.are_off():
            await self.app(scope, receive, send)
            return
        requests.begin()
        headers = {}
        for name, value in scope.get("headers", ()):
            headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        if not requests.is_wanted(headers.get, scope.get("query_string", b"").decode("latin-1")):
            await self.app(scope, receive, send)
            return
        region = requests.region(scope.get("method", "WEBSOCKET"), _route(self.app, scope))
        with requests.switched(), requests.metadata(headers.get), region:
            await self.app(scope, receive, send)


def _route(app, scope):
    routes = getattr(scope.get("app", app), "routes", None)
    if routes is not None and hasattr(scope.get("app", app), "router"):
        return _of_starlette(routes, scope) or _servers.NO_ROUTE
    if type(app).__module__.startswith("django."):
        return of_django(scope["path"])
    return scope["path"]


def _of_starlette(routes, scope):
    """The path of the route, with the names of what varies in it; None where there is none."""
    partial = None
    for route in routes:
        match, inside = route.matches(scope)
        if match.value == 0:
            continue
        path = getattr(route, "path", None) or ""
        below = getattr(route, "routes", None)
        if hasattr(route, "effective_candidates"):  # what FastAPI makes of include_router()
            below = route.effective_candidates()
        if below:
            rest = _of_starlette(below, {**scope, **inside})
            path = None if rest is None else path + rest
        if match.value == 2 and path is not None:
            return path
        partial = partial or path
    return partial


def of_django(path):
    """The same in Django, whose urls are those of the settings."""
    urls = sys.modules["django.urls"]
    try:
        return "/" + urls.resolve(path).route
    except urls.Resolver404:
        return _servers.NO_ROUTE
