"""Which of CPython's test modules are run, and what of the standard library each is about."""

# Test modules that are about the language are registered themselves.
_ABOUT_ITSELF = """
    abc asyncgen bdb call class code contextlib_async context coroutines decorators descr
    dynamicclassattribute except_star exceptions extcall funcattrs gc generators genericclass
    genexps iter itertools keywordonlyarg listcomps metaclass named_expressions patma
    positional_only_arg property raise scope super sys_setprofile sys_settrace threading_local types
    unpack_ex with yield_from
"""

# What the module of the same name is about.
_ABOUT_NAMESAKE = """
    argparse ast base64 bisect calendar cmd codeop colorsys configparser contextlib copy copyreg
    csv dataclasses dis enum filecmp fileinput fnmatch fractions functools getopt gettext glob
    graphlib heapq html inspect ipaddress linecache mimetypes netrc operator optparse
    pathlib pickle pickletools pkgutil plistlib pprint quopri queue random re reprlib runpy sched
    secrets selectors shelve shlex shutil stat statistics string
    stringprep tabnanny tempfile textwrap threading timeit tokenize trace
    traceback typing uuid warnings weakref zipapp
"""

_ABOUT = {
    "test_asyncio.test_context": ["asyncio.events", "asyncio.tasks"],
    "test_asyncio.test_futures": ["asyncio.futures"],
    "test_asyncio.test_locks": ["asyncio.locks", "asyncio.mixins"],
    "test_asyncio.test_pep492": ["asyncio.base_events", "asyncio.coroutines"],
    "test_asyncio.test_queues": ["asyncio.queues"],
    "test_asyncio.test_streams": ["asyncio.streams"],
    "test_asyncio.test_taskgroups": ["asyncio.taskgroups", "asyncio.tasks"],
    "test_asyncio.test_tasks": ["asyncio.tasks"],
    "test_asyncio.test_threads": ["asyncio.threads"],
    "test_asyncio.test_timeouts": ["asyncio.timeouts"],
    "test_collections": ["collections", "_collections_abc"],
    "test_decimal": ["_pydecimal"],
    "test_doctest": ["doctest"],
    "test_email.test_message": ["email.message", "email.parser", "email.feedparser"],
    "test_email.test_headerregistry": ["email.headerregistry", "email._header_value_parser"],
    "test_htmlparser": ["html.parser", "_markupbase"],
    "test_http_cookies": ["http.cookies"],
    "test_importlib.test_util": ["importlib.util"],
    "test_json": ["json", "json.decoder", "json.encoder", "json.scanner"],
    "test_logging": ["logging", "logging.handlers", "logging.config"],
    "test_minidom": ["xml.dom.minidom", "xml.dom.expatbuilder"],
    "test_ordered_dict": ["collections"],
    "test_pyclbr": ["pyclbr"],
    "test_sax": ["xml.sax.expatreader", "xml.sax.handler", "xml.sax.saxutils"],
    "test_urlparse": ["urllib.parse"],
    "test_userdict": ["collections"],
    "test_userlist": ["collections"],
    "test_wsgiref": ["wsgiref.handlers", "wsgiref.headers", "wsgiref.util"],
    "test_zipfile": ["zipfile"],
}

MODULES = {f"test_{name}": [f"test.test_{name}"] for name in _ABOUT_ITSELF.split()}
MODULES |= {f"test_{name}": [name] for name in _ABOUT_NAMESAKE.split()}
MODULES |= _ABOUT

# What is quick and meets most of what there is: for every change.
SHORT = ["test_contextlib", "test_coroutines", "test_generators", "test_htmlparser",
         "test_asyncio.test_taskgroups"]
