"""Selects the pairs that an export takes, by filters over a pair and its result."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from configs.errors import SettingsError
from consumer.dataset.pairs import ExportedPair
from schemas import PairType

STATUSES = ("kept", "rejected", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFilter:
    """A pair must meet all conditions; an empty one is met by every pair.

    `documents` (paths) and `models` (served name or loaded model) are globs. `scores` has least values by name; the
    name "" stands for every score of a pair, which must have one.
    """

    types: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    documents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    status: str = "kept"

    def takes(self, exported: ExportedPair) -> bool:
        """Tells whether the pair belongs to the data set."""
        pair = exported.pair
        return (
            self.status in (exported.status, "all")
            and self.may_oppose(exported)
            and (not self.types or pair["type"] in self.types)
            and all(_reaches(pair.get("scores", {}), name, least) for name, least in self.scores.items())
        )

    def may_oppose(self, exported: ExportedPair) -> bool:
        """Tells whether a rejected pair may stand against a kept one, whose types and scores are checked alone."""
        pair, result = exported.pair, exported.result
        model = result["model"]
        return (
            (not self.languages or pair.get("language", "") in self.languages)
            and _matches(self.documents, result["document"]["path"])
            and _matches(self.models, model["name"], model.get("root", ""))
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which pairs")
    group.add_argument("--type", metavar="TYPES", help=f"comma-separated: {', '.join(PairType)}")
    group.add_argument("--language", metavar="LANGUAGES", help="comma-separated, such as zh,en")
    group.add_argument("--document", action="append", metavar="GLOB", help="path of the document; may be repeated")
    group.add_argument("--model", action="append", metavar="GLOB", help="name of the model; may be repeated")
    group.add_argument("--min-score", action="append", metavar="[NAME=]N", help=(
        "least value of the score with this name, or of every score; pairs without it are left out; may be repeated"
    ))  # fmt: skip
    group.add_argument("--status", choices=STATUSES, default="kept", help=(
        "kept pairs (default), pairs that a check rejected, or all"
    ))  # fmt: skip


def filter_from(args: argparse.Namespace) -> PairFilter:
    """Returns the filter of a command line. Raises SettingsError for a value that a flag does not take."""
    types = _listed(args.type)
    if unknown := types - set(PairType):
        raise SettingsError(f"--type {', '.join(sorted(unknown))}: takes {', '.join(PairType)}, comma-separated")
    return PairFilter(
        types=types, languages=_listed(args.language), documents=tuple(args.document or ()),
        models=tuple(args.model or ()), scores=dict(map(_parse_score, args.min_score or ())), status=args.status,
    )  # fmt: skip


def _listed(text: str | None) -> frozenset[str]:
    return frozenset(part.strip() for part in (text or "").split(",") if part.strip())


def _parse_score(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        return name, float(value)
    except ValueError:
        raise SettingsError(f"--min-score {text}: takes a number, or a score's name and a number: answer=4") from None


def _matches(globs: tuple[str, ...], *names: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)


def _reaches(scores: Mapping[str, float], name: str, least: float) -> bool:
    values = [scores[name]] if name in scores else list(scores.values()) if not name else []
    return bool(values) and min(values) >= least
