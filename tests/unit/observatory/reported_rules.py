"""Rules with the constructs of public bug reports, and the lines that decide each access.

The unit tests hold them against messages of the emulator's form, tests/hops/test_rules_language.py
against the emulator itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

UID = "alice"

RULES = """rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    match /{ancestors=**}/notes/{note} {
      allow read: if request.auth != null
        && resource.data.author == request.auth.uid;
      allow create: if request.auth != null
        && request.resource.data.author == request.auth.uid;
    }
    match /{kind}/{id}/files/{file=**} {
      allow get: if kind == 'teams'
        && request.auth != null
        && file[0] != 'secret';
    }
    match /people/{id} {
      allow create: if request.resource.data.name.matches('[[:upper:]][[:lower:]]*')
        && request.resource.data.age is int;
    }
    match /articles/{id} {
      allow update: if debug(resource.data.author) == request.auth.uid
        && request.resource.data.diff(resource.data).affectedKeys().hasOnly(['title', 'body']);
    }
    match /votes/{id} {
      allow create: if request.resource.data.choices.hasAny([1])
        && request.resource.data.options == {}
        && request.resource.data.choices[0:1] == [1];
    }
    match /links/{id} {
      allow create: if exists(/databases/$(database)/documents/teams/$(id))
        && request.resource.data.open == true;
    }
    match /locks/{id} {
      allow create: if request.path == /databases/$(database)/documents/locks/$(id)
        && exists(/databases/$(database)/documents/teams/$(id));
    }
  }
}
"""


@dataclass(frozen=True)
class Access:
    """An access, its outcome and the lines that decide it.

    ``stored`` are the fields of the document before, ``attempted`` those of the write.
    """

    method: str
    path: str
    allowed: bool
    lines: tuple[int, ...]
    stored: dict[str, Any] | None = None
    attempted: dict[str, Any] | None = None
    uid: str | None = UID
    allow_lines: tuple[int, ...] = field(default=())

    @property
    def id(self) -> str:
        """The name of the test."""
        return f"{self.method} {self.path} {'allowed' if self.allowed else self.lines}"


def _get(path: str, *, allowed: bool = False, line: int, allow: int, **rest: Any) -> Access:
    return Access("get", path, allowed, (line,), allow_lines=(allow,), **rest)


def _create(path: str, line: int, allow: int, *, allowed: bool = False, **fields: Any) -> Access:
    return Access("create", path, allowed, (line,), attempted=fields, allow_lines=(allow,))


ARTICLE = {"author": UID, "title": "a", "body": "b", "likes": 1}

ACCESSES = [
    _get("teams/t/notes/n", line=6, allow=5, stored={"author": "bob"}),
    _get("teams/t/notes/n", line=5, allow=5, stored={"author": "bob"}, uid=None),
    _get("teams/t/notes/n", line=5, allow=5, stored={"author": UID}, allowed=True),
    _get("notes/n", line=6, allow=5, stored={"author": "bob"}),
    _get("a/b/c/d/notes/n", line=6, allow=5, stored={"author": "bob"}),
    _create("teams/t/notes/n", 8, 7, author="bob"),
    _create("teams/t/notes/n", 7, 7, author=UID, allowed=True),
    _get("teams/t/files/f", line=11, allow=11, stored={}, allowed=True),
    _get("teams/t/files/a/b/c", line=11, allow=11, stored={}, allowed=True),
    _get("teams/t/files/f", line=12, allow=11, stored={}, uid=None),
    _get("teams/t/files/secret", line=13, allow=11, stored={}),
    _get("clubs/c/files/f", line=11, allow=11, stored={}),
    _get("clubs/c/files/a/b/c", line=11, allow=11, stored={}),
    _create("people/p", 17, 16, name="Ada", age="36"),
    _create("people/p", 16, 16, name="ada", age=36),
    _create("people/p", 16, 16, name="Ada", age=36, allowed=True),
    Access(
        "update",
        "articles/a",
        allowed=False,
        lines=(21,),
        stored=ARTICLE,
        attempted={**ARTICLE, "title": "c", "likes": 2},
        allow_lines=(20,),
    ),
    Access(
        "update",
        "articles/a",
        allowed=False,
        lines=(20,),
        stored={**ARTICLE, "author": "bob"},
        attempted={**ARTICLE, "author": "bob", "likes": 2},
        allow_lines=(20,),
    ),
    Access(
        "update",
        "articles/a",
        allowed=True,
        lines=(20,),
        stored=ARTICLE,
        attempted={**ARTICLE, "title": "c"},
        allow_lines=(20,),
    ),
    _create("votes/v", 24, 24, choices=[True], options={}),
    _create("votes/v", 24, 24, choices=[1.0], options={}),
    _create("votes/v", 25, 24, choices=[1], options={"x": {}}),
    _create("votes/v", 26, 24, choices=[2, 1], options={}),
    _create("votes/v", 24, 24, choices=[1, 2], options={}, allowed=True),
    _create("links/l", 30, 29, open=False),
    _create("locks/l", 33, 33, open=False),
]
