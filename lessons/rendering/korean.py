"""Korean words in running text: a noun carries its particles without a space (`파드에서는`), so finding a word means
knowing what may follow it.

The list is of particles and forms of the copula that follow nouns in technical prose; it need not be complete to be
useful, and a word that ends in none of them simply stands for itself.
"""

from __future__ import annotations

import re

#: Longest first, so that `에서는` is tried before `에`.
PARTICLES = tuple(
    sorted(
        """은 는 이 가 을 를 의 에 에서 에게 에게서 께 한테 로 으로 로서 으로서 로써 으로써 와 과 하고 랑 이랑 도 만 들 뿐 씩 쯤 마다 끼리 처럼 보다
        부터 까지 조차 마저 밖에 나 이나 든지 이든 라도 이라도 야 이야 란 이란 라는 이라는 라고 이라고 라면 이라면 입니다 입니까 이고 이며 이자 인 인지 인데 일
        이지 이지만 이므로 이라 이라서 이어서 여서 였습니다 이었습니다 이었던 였던 이다 이면 면 대로 만큼 같은 같이 아닌 측 쪽 별""".split(),
        key=lambda word: (-len(word), word),
    )
)
_SUFFIX = "(?:" + "|".join(PARTICLES) + ")"

#: What may stand after a noun: up to three particles, and then no further letter.
AFTER_NOUN = rf"(?={_SUFFIX}{{0,3}}(?![가-힣A-Za-z0-9_]))"
_TAIL = re.compile(rf"(?<=[가-힣A-Za-z0-9]){_SUFFIX}\Z")
_HANGUL = re.compile(r"[가-힣]")


def has_hangul(text: str) -> bool:
    """Whether there is a Korean syllable in it."""
    return bool(_HANGUL.search(text))


def stems(word: str) -> list[str]:
    """The word, then what is left when up to three particles are taken off its end: `파드에서는`, `파드에서`, `파드`.

    What is left has at least two letters, or stands before a particle of two (`파드` and `키` of `키에서`, not `노` of `노드`).
    """
    found = [word]
    for _ in range(3):
        match = _TAIL.search(found[-1])
        if match is None:
            break
        rest = found[-1][: match.start()]
        if len(rest) < 2 and len(match.group()) < 2:
            break
        found.append(rest)
    return found
