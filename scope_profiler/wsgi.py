"""Requests of a WSGI application as regions: Flask, Django and others.

    app.wsgi_app = ProfilerMiddleware(app.wsgi_app)     # Flask
    application = ProfilerMiddleware(application)       # any other
"""

import sys

from . import _servers
from ._run.runs import _Root
from .asgi import of_django


class ProfilerMiddleware:
    """Middleware: each request is a call of a region with the name of its method and route, "GET
    /items/<int:number>", and what the application records inside is below it. It lasts until the server has
    closed the response, also where that is made piece by piece.

    app, manager, switch, max_names: as those of scope_profiler.asgi.ProfilerMiddleware. Routes are known of
    Flask and Django. Raises TypeError or ValueError for arguments that are not that.
    """

    def __init__(self, app, *, manager=None, switch=None, max_names=1000):
        if not callable(app):
            raise TypeError(f"app takes a WSGI application, got {app!r}")
        self.app = app
        self._requests = _servers.Requests(manager, switch, max_names)

    def __call__(self, environ, start_response):
        requests = self._requests
        if requests.are_off():
            return self.app(environ, start_response)
        requests.begin()

        def header(name):
            return environ.get(f"HTTP_{name.upper().replace('-', '_')}")

        if not requests.is_wanted(header, environ.get("QUERY_STRING", "")):
            return self.app(environ, start_response)
        region = requests.region(environ.get("REQUEST_METHOD", "GET"), _route(self.app, environ))
        switched = requests.switched()
        switched.__enter__()
        with requests.metadata(header):
            request = _Request(region, switched)
            try:
                response = self.app(environ, start_response)
            except BaseException:
                request.end(sys.exc_info())
                raise
        if isinstance(response, (list, tuple)):  # all of it is there
            request.end()
            return response
        return _Response(response, request)


class _Request:
    """One that is under way."""

    def __init__(self, region, switched):
        self._region = _Root(region)
        self._switched = switched

    def end(self, exception=(None, None, None)):
        """It is over; nothing when it was already."""
        region, self._region = self._region, None
        if region is not None:
            region.close(exception)
            self._switched.__exit__(None, None, None)


class _Response:
    """A response that is made as the server takes it."""

    def __init__(self, response, request):
        self._response = response
        self._pieces = None
        self._request = request

    def __iter__(self):
        return self

    def __next__(self):
        if self._pieces is None:
            self._pieces = iter(self._response)
        try:
            return next(self._pieces)
        except StopIteration:
            self._request.end()
            raise
        except BaseException:
            self._request.end(sys.exc_info())
            raise

    def close(self):
        """What servers call at the end."""
        try:
            close = getattr(self._response, "close", None)
            if close is not None:
                close()
        finally:
            self._request.end()


def _route(app, environ):
    path = environ.get("PATH_INFO", "") or "/"
    owner = getattr(app, "__self__", app)  # of app.wsgi_app
    rules = getattr(owner, "url_map", None)
    if rules is not None:
        try:
            return rules.bind_to_environ(environ).match(return_rule=True)[0].rule
        except Exception:  # no rule, another method, or a redirect
            return _servers.NO_ROUTE
    if type(owner).__module__.startswith("django."):
        return of_django(path)
    return path
