"""Programs that no one here wrote, as functions: each does the same every time, in tenths of a second."""

from contextlib import redirect_stderr
import inspect
import io
from pathlib import Path
import shutil
import tempfile


def cpython_tests():
    import unittest

    names = ("test.test_fractions", "test.test_difflib", "test.test_textwrap", "test.test_string")
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    with redirect_stderr(io.StringIO()):
        assert unittest.TextTestRunner().run(suite).testsRun > 100


def mkdocs():
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = Path(tempfile.gettempdir(), "scope_profiler_mkdocs")
    pages = Path(__file__).resolve().parent.parent / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "docs").mkdir(parents=True)
    for name in ("architecture.md", "counting.md", "journal.md"):
        shutil.copy(pages / name, folder / "docs" / name)
    (folder / "mkdocs.yml").write_text("site_name: pages\nplugins: []\n")
    with redirect_stderr(io.StringIO()):
        build(load_config(str(folder / "mkdocs.yml")))


def black():
    import textwrap

    from black import Mode, format_str

    source = Path(inspect.getsourcefile(textwrap)).read_text()
    assert format_str(source, mode=Mode()) == format_str(source, mode=Mode())


def jinja2():
    import jinja2

    text = "{% for row in rows %}<li>{{ row.name|upper }}: {{ loop.index }}</li>{% endfor %}"
    environment = jinja2.Environment(autoescape=True, cache_size=0)
    rows = [{"name": f"<{number}>"} for number in range(1000)]
    for _ in range(40):
        environment.from_string(text).render(rows=rows)


def networkx():
    import networkx

    graph = networkx.barabasi_albert_graph(2000, 3, seed=1)
    networkx.betweenness_centrality(graph, k=10, seed=1)
    networkx.minimum_spanning_tree(graph)
    networkx.square_clustering(graph, range(40))


def sqlalchemy():
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        books: Mapped[list["Book"]] = relationship(back_populates="author")

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
        author: Mapped[Author] = relationship(back_populates="books")

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number in range(100):
            books = [Book(title=f"{number}-{book}") for book in range(5)]
            session.add(Author(name=f"author {number}", books=books))
        session.commit()
        for author in session.scalars(select(Author).where(Author.name.like("author 1%"))):
            assert len(author.books) == 5
        for book in session.scalars(select(Book).join(Author).order_by(Author.name)):
            assert book.author.name


PROGRAMS = {each.__name__: each for each in (cpython_tests, mkdocs, black, jinja2, networkx, sqlalchemy)}
