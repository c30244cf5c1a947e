"""Which members of a class or module are registered with it: those that were defined there, or farther
around."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import ModuleType
from typing import Any, TypeAlias

#: One policy for all members, or one for each kind: "func", "class" and "module".
Policies: TypeAlias = "str | ScopingPolicy | Mapping[str, str | ScopingPolicy] | None"

_KINDS = ("func", "class", "module")

#: Functions and classes of the package, and no modules.
DEFAULT_SCOPING_POLICIES = {"func": "siblings", "class": "siblings", "module": "exact"}


class ScopingPolicy(StrEnum):
    """Which members are taken, and which classes and modules among them are looked into:

    EXACT: the functions that were defined in the class or module, and nothing is looked into.
    CHILDREN: also classes that were defined there, and direct submodules.
    DESCENDANTS: also what is farther below.
    SIBLINGS: also what was defined in the same module (of a class), or package (of a module).
    NONE: everything that is found there.

    A policy is found by its name in any case: ScopingPolicy("children").
    """

    EXACT = "exact"
    CHILDREN = "children"
    DESCENDANTS = "descendants"
    SIBLINGS = "siblings"
    NONE = "none"

    @classmethod
    def _missing_(cls, value: object) -> ScopingPolicy | None:
        lower = value.lower() if isinstance(value, str) else None
        return next((policy for policy in cls if policy.value == lower), None)

    @classmethod
    def to_policies(cls, policies: Policies = None) -> dict[str, ScopingPolicy]:
        """A policy for each of "func", "class" and "module"; None: DEFAULT_SCOPING_POLICIES.

        Raises ValueError for a policy that there is not, KeyError when a mapping lacks a kind.
        """
        if policies is None:
            policies = DEFAULT_SCOPING_POLICIES
        if isinstance(policies, str):
            return dict.fromkeys(_KINDS, cls(policies))
        return {kind: cls(policies[kind]) for kind in _KINDS}

    def get_filter(self, namespace: type | ModuleType, obj_type: str) -> Callable[[Any], bool]:
        """Tells of a member of the class or module whether it is taken. obj_type: what members it is
        asked about, "func", "class" or "module"."""
        if obj_type == "module":
            if isinstance(namespace, type):
                return _never
            return self._choose(_module_rules(namespace), nothing_exact=True)
        rules = _rules_in_class if isinstance(namespace, type) else _rules_in_module
        return self._choose(rules(namespace), nothing_exact=obj_type == "class")

    def _choose(self, rules: tuple[Callable[[Any], bool], ...],
                nothing_exact: bool) -> Callable[[Any], bool]:
        if self is ScopingPolicy.NONE:
            return _always
        if self is ScopingPolicy.EXACT:
            return _never if nothing_exact else rules[0]
        return rules[("children", "descendants", "siblings").index(self.value)]


def _always(member: object) -> bool:
    return True


def _never(member: object) -> bool:
    return False


def _is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


# What children, descendants and siblings are.


def _rules_in_class(cls: Any) -> tuple[Callable[[Any], bool], ...]:
    def sibling(member: Any) -> bool:
        return bool(member.__module__ == cls.__module__)

    def child(member: Any) -> bool:
        return sibling(member) and member.__qualname__ == f"{cls.__qualname__}.{member.__name__}"

    def descendant(member: Any) -> bool:
        return sibling(member) and member.__qualname__.startswith(cls.__qualname__ + ".")

    return child, descendant, sibling


def _rules_in_module(module: Any) -> tuple[Callable[[Any], bool], ...]:
    name, parent = module.__name__, module.__name__.rpartition(".")[0]

    def child(member: Any) -> bool:
        return bool(member.__module__ == name)

    def descendant(member: Any) -> bool:
        return _is_below(member.__module__, name)

    def sibling(member: Any) -> bool:
        return descendant(member) or _is_below(member.__module__, parent)

    return child, descendant, sibling if name else descendant


def _module_rules(module: Any) -> tuple[Callable[[Any], bool], ...]:
    name, parent = module.__name__, module.__name__.rpartition(".")[0]

    def child(member: Any) -> bool:
        return bool(member.__name__.rpartition(".")[0] == name)

    def descendant(member: Any) -> bool:
        return bool(member.__name__.startswith(name + "."))

    def sibling(member: Any) -> bool:
        return bool(member.__name__.startswith(parent + "."))

    return child, descendant, sibling if name else _never
