"""asgi.py, wsgi.py, _servers.py: requests as regions, called as servers do."""

import asyncio
from wsgiref.util import setup_testing_defaults

import pytest

from collected import tree
from scope_profiler import ProfileManager, asgi, wsgi

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def manager():
    manager = ProfileManager()
    manager.setup(output=None)
    yield manager
    manager.reset()


def calls(manager):
    return {" > ".join(path): row.calls for path, row in tree(manager) if row.calls}


def get(app, path="/", headers=(), query="", method="GET", kind="http"):
    """What an ASGI application sends."""
    sent = []
    scope = {"type": kind, "method": method, "path": path, "query_string": query.encode(), "root_path": "",
             "headers": [(name.encode(), value.encode()) for name, value in headers]}
    if kind != "http":
        del scope["method"]

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def call(app, path="/", query="", method="GET", **environ):
    """The pieces that a WSGI application returns."""
    environ = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method, **environ}
    setup_testing_defaults(environ)
    response = app(environ, lambda status, headers, error=None: None)
    try:
        return [*response]
    finally:
        getattr(response, "close", lambda: None)()


@pytest.fixture
def asgi_app(manager):
    async def app(scope, receive, send):
        with manager.region("inside"):
            await asyncio.sleep(0)
        if scope["path"] == "/fails":
            raise KeyError("fails")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    return app


@pytest.fixture
def wsgi_app(manager):
    def app(environ, start_response):
        with manager.region("inside"):
            start_response("200 OK", [])
        if environ["PATH_INFO"] == "/fails":
            raise KeyError("fails")
        if environ["PATH_INFO"] == "/pieces":
            return pieces()
        return [b"text"]

    def pieces():
        for piece in (b"a", b"b"):
            with manager.region("piece"):
                pass
            yield piece

    return app


# ---- Each request


def test_each_request_is_a_call(manager, asgi_app, wsgi_app):
    app = asgi.ProfilerMiddleware(asgi_app, manager=manager)
    for path in ("/a", "/b", "/b"):
        assert [message["type"] for message in get(app, path)] == ["http.response.start"]
    assert get(app, "/ws", kind="websocket")
    app = wsgi.ProfilerMiddleware(wsgi_app, manager=manager)
    assert call(app, "/c", method="POST") == [b"text"]
    assert calls(manager) == {
        "GET /a": 1, "GET /a > inside": 1, "GET /b": 2, "GET /b > inside": 2,
        "WEBSOCKET /ws": 1, "WEBSOCKET /ws > inside": 1, "POST /c": 1, "POST /c > inside": 1,
    }


def test_requests_at_the_same_time_do_not_nest(manager, asgi_app):
    app = asgi.ProfilerMiddleware(asgi_app, manager=manager)

    async def both():
        scope = {"type": "http", "method": "GET", "path": "/a", "headers": []}

        async def send(message):
            pass

        await asyncio.gather(*(app(dict(scope), None, send) for _ in range(5)))

    asyncio.run(both())
    assert calls(manager) == {"GET /a": 5, "GET /a > inside": 5}


def test_what_a_response_takes_that_is_made_in_pieces(manager, wsgi_app):
    app = wsgi.ProfilerMiddleware(wsgi_app, manager=manager)
    assert call(app, "/pieces") == [b"a", b"b"]
    assert calls(manager) == {"GET /pieces": 1, "GET /pieces > inside": 1, "GET /pieces > piece": 2}
    environ = {"PATH_INFO": "/pieces"}
    setup_testing_defaults(environ)
    response = app(environ, lambda status, headers: None)
    assert next(response) == b"a"
    response.close()  # the client has gone
    assert calls(manager)["GET /pieces"] == 2


def test_exceptions_pass_and_count_as_errors(manager, asgi_app, wsgi_app):
    for request, app in ((get, asgi.ProfilerMiddleware(asgi_app, manager=manager)),
                         (call, wsgi.ProfilerMiddleware(wsgi_app, manager=manager))):
        with pytest.raises(KeyError, match="fails"):
            request(app, "/fails")
    [row] = [row for path, row in tree(manager) if path == ("GET /fails",)]
    assert (row.calls, row.errors, row.open_calls) == (2, 2, 0)


def test_the_trace_is_metadata_of_the_calls(manager, asgi_app, wsgi_app):
    get(asgi.ProfilerMiddleware(asgi_app, manager=manager), "/a", [("TraceParent", TRACEPARENT)])
    call(wsgi.ProfilerMiddleware(wsgi_app, manager=manager), "/b", HTTP_TRACEPARENT=TRACEPARENT)
    call(wsgi.ProfilerMiddleware(wsgi_app, manager=manager), "/c", HTTP_TRACEPARENT="rubbish")
    results = manager.finalize(verbose=False, return_results=True)
    assert len(results.where(trace_id=TRACE)["inside"][0].start_times_ns) == 2
    assert {region.name for region in results.where(trace_id=TRACE)} == {"GET /a", "GET /b", "inside"}


@pytest.mark.parametrize("header", [True, False])
def test_a_switch(manager, asgi_app, wsgi_app, header):
    """Requests without it record nothing at all."""
    def request(value):
        headers = [("X-Profile", value)] if header else []
        query = "" if header else f"a=1&x-profile={value}&b=2"
        get(asgi_switched, "/a", headers, query)
        call(wsgi_switched, "/b", query, **({"HTTP_X_PROFILE": value} if header else {}))

    asgi_switched = asgi.ProfilerMiddleware(asgi_app, manager=manager, switch="X-Profile")
    wsgi_switched = wsgi.ProfilerMiddleware(wsgi_app, manager=manager, switch="X-Profile")
    for value in ("0", "", "1", "no", "TRUE"):
        request(value)
    assert calls(manager) == {f"GET {path}{below}": 2 for path in ("/a", "/b") for below in ("", " > inside")}
    assert manager._run._held


def test_the_number_of_regions_is_bounded(manager, asgi_app):
    app = asgi.ProfilerMiddleware(asgi_app, manager=manager, max_names=2)
    for path in "abcd":
        get(app, f"/{path}")
    assert calls(manager)["GET (others)"] == 2 and len(manager.registered_regions()) == 4


def test_without_a_run_the_application_is_called_as_it_is(asgi_app, wsgi_app):
    manager = ProfileManager()
    assert get(asgi.ProfilerMiddleware(asgi_app, manager=manager))
    assert call(wsgi.ProfilerMiddleware(wsgi_app, manager=manager)) == [b"text"]
    assert manager.registered_regions() == ()


@pytest.mark.parametrize("kind", [asgi.ProfilerMiddleware, wsgi.ProfilerMiddleware])
@pytest.mark.parametrize("arguments, error", [
    ({"app": 3}, "app takes a.* application, got 3"),
    ({"manager": 3}, "manager takes a ProfileManager or None, got 3"),
    ({"switch": 3}, "switch takes a str, got"),
    ({"max_names": 0}, "max_names takes an int of at least 1, got 0"),
    ({"max_names": "a"}, "max_names takes an int of at least 1, got"),
])
def test_bad_arguments(kind, arguments, error):
    with pytest.raises((TypeError, ValueError), match=error):
        kind(**{"app": print, **arguments})


# ---- Routes


def test_routes_of_starlette(manager):
    pytest.importorskip("starlette", reason="starlette is not installed")
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route

    async def page(request):
        return PlainTextResponse("text")

    routes = [Route("/items/{number:int}", page), Route("/post", page, methods=["POST"]),
              Mount("/api", routes=[Route("/{name}", page)])]
    inner, outer = Starlette(routes=routes), Starlette(routes=routes)
    inner.add_middleware(asgi.ProfilerMiddleware, manager=manager)
    for app in (inner, asgi.ProfilerMiddleware(outer, manager=manager)):
        for path in ("/items/1", "/items/2", "/api/a", "/nowhere", "/api/a/b"):
            get(app, path)
    assert calls(manager) == {"GET /items/{number:int}": 4, "GET /api/{name}": 2, "GET (no route)": 4}


def test_routes_of_fastapi(manager):
    pytest.importorskip("fastapi", reason="fastapi is not installed")
    from fastapi import APIRouter, FastAPI

    router = APIRouter(prefix="/users")

    @router.get("/{user}")
    async def user(user: str):
        return user

    app = FastAPI()
    app.include_router(router)
    app.add_middleware(asgi.ProfilerMiddleware, manager=manager)
    get(app, "/users/a")
    get(app, "/users/b")
    get(app, "/nowhere")
    assert calls(manager) == {"GET /users/{user}": 2, "GET (no route)": 1}


def test_routes_of_flask(manager):
    pytest.importorskip("flask", reason="flask is not installed")
    from flask import Flask

    app = Flask("app")

    @app.get("/items/<int:number>")
    def item(number):
        return str(number)

    app.wsgi_app = wsgi.ProfilerMiddleware(app.wsgi_app, manager=manager)
    assert call(app, "/items/1") == [b"1"] and call(app, "/items/2") == [b"2"]
    call(app, "/nowhere")
    assert calls(manager) == {"GET /items/<int:number>": 2, "GET (no route)": 1}


def test_routes_of_django(manager):
    pytest.importorskip("django", reason="django is not installed")
    import sys
    from types import ModuleType

    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    urls = sys.modules["urls_of_test"] = ModuleType("urls_of_test")
    urls.urlpatterns = [path("items/<int:number>/", lambda request, number: HttpResponse(str(number)))]
    if not settings.configured:
        settings.configure(ROOT_URLCONF="urls_of_test", ALLOWED_HOSTS=["*"], DEBUG=False)
        django.setup()
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    app = wsgi.ProfilerMiddleware(get_wsgi_application(), manager=manager)
    assert call(app, "/items/1/") == [b"1"]
    call(app, "/nowhere")
    assert calls(manager) == {"GET /items/<int:number>/": 1, "GET (no route)": 1}
    assert asgi.of_django("/items/3/") == "/items/<int:number>/"
    assert type(get_asgi_application()).__module__.startswith("django.")
